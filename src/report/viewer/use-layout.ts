import { type Signal, useSignal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** The width in pixels of an element, kept up to date; 0 before it is known. */
export function useWidth<T extends HTMLElement>(): readonly [RefObject<T | null>, Signal<number>] {
  const ref = useRef<T | null>(null);
  const width = useSignal(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    const read = () => {
      if (element.clientWidth > 0) width.value = element.clientWidth;
    };
    read();
    const observer = new ResizeObserver(read);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}

/** Whether a media query holds. */
export function useMedia(query: string): Signal<boolean> {
  const holds = useSignal(matchMedia(query).matches);
  useLayoutEffect(() => {
    const list = matchMedia(query);
    const read = () => {
      holds.value = list.matches;
    };
    list.addEventListener('change', read);
    return () => list.removeEventListener('change', read);
  }, []);
  return holds;
}
