import type { ComponentChildren, CSSProperties, RefObject } from 'preact';

interface ScrollerProps {
  readonly label: string;
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly style?: CSSProperties;
  readonly box?: RefObject<HTMLDivElement | null>;
  readonly onScroll?: (event: Event) => void;
}

/** A part that scrolls sideways where it is too wide; focusable, so that the keyboard can scroll it, and named, because it is focusable. */
export function Scroller(props: ScrollerProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a section is a chapter of the page here, with its own space and rule
    <div
      class={`scroll ${props.class ?? ''}`}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: scrollable regions need the keyboard's focus (WCAG 2.1.1)
      tabIndex={0}
      role="region"
      aria-label={props.label}
      style={props.style ?? {}}
      ref={props.box ?? null}
      onScroll={props.onScroll}
    >
      {props.children}
    </div>
  );
}
