import type { Story } from '../../document.ts';
import { seconds } from '../format.ts';
import { ActorIcon } from '../icons.tsx';
import { Sentence } from '../rich-text.tsx';
import { useView } from '../view-context.ts';
import { select } from '../view-state.ts';

/** Numbered sentences; a number leads to the mark in the diagram that carries the same number. */
export function StorySection({ story }: { readonly story: Story }) {
  const view = useView();
  return (
    <section id="story" aria-labelledby="title-story">
      <p class="kick">
        <b>Story</b> every sentence is linked to the diagram by its number
      </p>
      <h2 id="title-story">{story.title}</h2>
      <ol class="story">
        {story.sentences.map((sentence, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the button within does the same for the keyboard
          <li
            key={sentence.eventId}
            class={view.selected.value === sentence.eventId ? 'on' : ''}
            onClick={() => select(view, sentence.eventId)}
            onMouseEnter={() => {
              view.hovered.value = new Set([sentence.eventId, ...(sentence.alsoEventIds ?? [])]);
            }}
            onMouseLeave={() => {
              view.hovered.value = new Set();
            }}
          >
            <button
              type="button"
              class={`n${view.index.violatingEvents.has(sentence.eventId) ? ' vx' : ''}`}
              aria-label={`Step ${index + 1}: select the event at ${seconds(sentence.atUs)} seconds`}
            >
              {index + 1}
            </button>
            <time>{seconds(sentence.atUs)}</time>
            <ActorIcon kind={sentence.icon} />
            <Sentence text={sentence.text} />
          </li>
        ))}
      </ol>
    </section>
  );
}
