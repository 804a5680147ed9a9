import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { seconds } from '../format.ts';
import { nextTheme, theme } from '../theme.ts';
import { VERDICT_LOOK } from '../verdict-look.tsx';
import { useView } from '../view-context.ts';

export interface SectionLink {
  readonly id: string;
  readonly label: string;
}

/** The sticky line: verdict once the stamp has scrolled away, sections, time cursor, theme, help. */
export function Bar({ links }: { readonly links: readonly SectionLink[] }) {
  const view = useView();
  const { verdict } = view.index.report;
  const look = VERDICT_LOOK[verdict.status];
  const atTop = useSignal(true);
  const current = useSignal('');
  useEffect(() => {
    const stamp = new IntersectionObserver(
      (entries) => {
        atTop.value = entries.at(-1)?.isIntersecting ?? false;
      },
      { rootMargin: '-48px 0px 0px 0px' },
    );
    const element = document.querySelector('.stamp');
    if (element !== null) stamp.observe(element);
    const sections = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) if (entry.isIntersecting) current.value = entry.target.id;
      },
      { rootMargin: '-64px 0px -70% 0px' },
    );
    for (const section of document.querySelectorAll('section[id]')) sections.observe(section);
    return () => {
      stamp.disconnect();
      sections.disconnect();
    };
  }, []);
  const themeName = { system: 'System', light: 'Light', dark: 'Dark' }[theme.value];
  return (
    <header class={`bar${atTop.value ? ' attop' : ''}`}>
      <div class="wrap">
        <span class="brand">
          <svg width="18" height="18" viewBox="0 0 18 18" aria-hidden="true">
            <path
              d="M2 10h14l-2.4 4.5H4.6zM9 2v6M9 2.5 13.5 8H9"
              fill="none"
              stroke="currentColor"
              stroke-width="1.5"
              stroke-linejoin="round"
            />
          </svg>
          <span class="hide-s">seatrial</span>
        </span>
        <span class={`verdict ${look.tone}`}>
          <span aria-hidden="true">{look.sign}</span> {look.word}
        </span>
        <span class="hide-s mono dim prop">{verdict.property ?? verdict.scenario}</span>
        <nav aria-label="Sections">
          {links.map((link) => (
            <a key={link.id} href={`#${link.id}`} aria-current={current.value === link.id ? 'true' : undefined}>
              {link.label}
            </a>
          ))}
        </nav>
        <span class="push tnow mono" title="Time cursor, virtual seconds">
          <span class="dim">t</span> <b>{seconds(view.cursorUs.value)}</b> s
        </span>
        <button type="button" class="plain" onClick={nextTheme} aria-label={`Theme: ${themeName}. Change it`}>
          <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true">
            <circle cx={7} cy={7} r={5.7} fill="none" stroke="currentColor" stroke-width={1.4} />
            <path d="M7 1.3a5.7 5.7 0 0 1 0 11.4z" fill="currentColor" />
          </svg>
          <span class="hide-s">{themeName}</span>
        </button>
        <button
          type="button"
          class="plain"
          aria-label="Keyboard shortcuts"
          onClick={() => {
            view.helpOpen.value = true;
          }}
        >
          <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}
