import { setFlagsFromString } from 'node:v8';

/**
 * Keeps the memory of a process that runs trials near what they need. Left alone, V8 lets the space of new objects grow to tens of
 * megabytes a thread and the old one to several times of what lives in it. A trial lets most of what it makes go at once, so that a small
 * space of new objects costs no time: half the memory at the same speed (`npm run bench -- --only memory`). Called before the program is
 * loaded, because a space that has grown does not shrink; worker threads follow.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}
