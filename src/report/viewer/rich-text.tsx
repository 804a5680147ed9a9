import type { RichText, RichTextRun } from '../document.ts';
import { unbroken } from './format.ts';

/** A sentence, and after it the definitions of the words that it marks as terms. */
export function Sentence({ text }: { readonly text: RichText }) {
  const terms = text.filter((run): run is Extract<RichTextRun, { kind: 'term' }> => typeof run !== 'string' && run.kind === 'term');
  return (
    <p>
      {text.map((run, index) => (
        <Run key={index} run={run} />
      ))}
      {terms.map((term) => (
        <span key={term.text} class="gloss">
          {` ${term.text.charAt(0).toUpperCase()}${term.text.slice(1)}: ${term.definition}.`}
        </span>
      ))}
    </p>
  );
}

function Run({ run }: { readonly run: RichTextRun }) {
  if (typeof run === 'string') return <>{unbroken(run)}</>;
  switch (run.kind) {
    case 'strong':
      return <b>{run.text}</b>;
    case 'code':
      return <code>{run.text}</code>;
    case 'term':
      return (
        <span class="term" title={run.definition}>
          {run.text}
        </span>
      );
  }
}
