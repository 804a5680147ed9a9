import { describe, expect, it } from 'vitest';
import { exampleFailure } from '../example-document.fixture.ts';
import { examplePass } from '../example-pass-document.fixture.ts';
import { eventFilter } from './event-filter.ts';
import { readHash, writeHash } from './hash-state.ts';
import { causeChain, indexDocument, openingEvent } from './index-of-document.ts';
import { createViewState, select, selectFirstCause, selectViolation, step, stepFault } from './view-state.ts';

const index = indexDocument(exampleFailure);

describe('the selection', () => {
  it('opens at the violation; a pass opens at the end of its story', () => {
    expect(openingEvent(index)).toBe('e17');
    expect(openingEvent(indexDocument(examplePass))).toBe('e5');
  });

  it('knows the cause chain back to the faults', () => {
    expect([...causeChain(index, 'e17')].sort()).toEqual(['e1', 'e10', 'e11', 'e12', 'e13', 'e14', 'e15', 'e16', 'e17', 'e2', 'e3', 'e4']);
  });

  it('steps within the slice, by faults, to the first cause and back', () => {
    const view = createViewState(exampleFailure);
    const walk = [
      () => step(view, 1),
      () => stepFault(view, 1),
      () => stepFault(view, -1),
      () => selectViolation(view),
      () => selectFirstCause(view),
    ];
    const selectedAfter = walk.map((move) => {
      move();
      return view.selected.value;
    });
    expect(selectedAfter).toEqual(['e18', 'e24', 'e10', 'e17', 'e1']);
    step(view, -1);
    expect(view.selected.value).toBe('e1');
  });

  it('steps through what matches the filter only', () => {
    const view = createViewState(exampleFailure);
    view.query.value = 'fault:F2 kind:lost';
    select(view, 'e5');
    step(view, 1);
    step(view, 1);
    expect(view.selected.value).toBe('e14');
  });

  it('widens the window and shows all events rather than selecting what is hidden', () => {
    const view = createViewState(exampleFailure);
    view.window.value = { fromUs: 12_000_000, toUs: 13_000_000 };
    select(view, 'h1');
    expect(view.showAll.value).toBe(true);
    expect(view.window.value.fromUs).toBeLessThan(5_000_000);
    expect(view.visible.value.some((event) => event.id === 'h1')).toBe(true);
  });
});

describe('the filter', () => {
  const found = (query: string) =>
    exampleFailure.events.filter((event) => event.important && eventFilter(index, query)?.(event)).map((event) => event.id);

  it('reads node, kind, fault, free words and their negation', () => {
    expect(found('kind:lost')).toEqual(['e5', 'e6', 'e11', 'e14', 'e15']);
    expect(found('kind:lost !node:etcd-0 !refused')).toEqual(['e5', 'e14']);
    expect(found('fault:f3')).toEqual(['e10', 'e11']);
    expect(found('revision 88 kind:answer')).toEqual(['e17']);
  });

  it('matches everything when it is empty', () => {
    expect(eventFilter(index, '  ! ')).toBeUndefined();
  });
});

describe('the address', () => {
  it('round-trips what the reader chose', () => {
    const view = createViewState(exampleFailure);
    select(view, 'e27');
    view.query.value = 'node:etcd-2 !vote';
    view.order.value = 'host';
    view.isolate.value = true;
    view.window.value = { fromUs: 12_000_000, toUs: 16_500_000 };
    const hash = writeHash(view);
    expect(hash).toBe('#t=16.035&sel=e27&q=node:etcd-2+!vote&only=cause&by=host&w=12.000-16.500');
    const other = createViewState(exampleFailure);
    readHash(other, hash);
    expect(writeHash(other)).toBe(hash);
  });

  it('leaves sections to the browser and survives nonsense', () => {
    const view = createViewState(exampleFailure);
    const before = writeHash(view);
    readHash(view, '#story');
    readHash(view, '#sel=nobody&t=abc&w=9-1');
    expect(writeHash(view)).toBe(before);
  });
});
