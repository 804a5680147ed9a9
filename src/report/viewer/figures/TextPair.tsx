import type { TextPairFigure } from '../../figure.ts';

export function TextPair({ figure }: { readonly figure: TextPairFigure }) {
  return (
    <dl class="pair">
      <div class="expected">
        <dt>Expected</dt>
        <dd>{figure.expected}</dd>
      </div>
      <div class="actual">
        <dt>Actual</dt>
        <dd>{figure.actual}</dd>
      </div>
    </dl>
  );
}
