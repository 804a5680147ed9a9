import type { ComponentChildren } from 'preact';

/** Marks of a drawing that only repeat what the table or a label says: hidden from screen readers. */
export function Decoration({
  children,
  ...rest
}: {
  readonly children: ComponentChildren;
  readonly class?: string;
  readonly transform?: string;
}) {
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus
    <g aria-hidden="true" {...rest}>
      {children}
    </g>
  );
}
