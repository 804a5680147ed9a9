import type { EventId, Lane, LaneState, Micros, ReportDocument, ReportEvent, ReportMessage } from '../document.ts';

/** The document with the look-ups that every panel needs. */
export interface ReportIndex {
  readonly report: ReportDocument;
  readonly eventById: ReadonlyMap<EventId, ReportEvent>;
  readonly messageByEvent: ReadonlyMap<EventId, ReportMessage>;
  /** Number of the story's sentence that an event carries. */
  readonly stepByEvent: ReadonlyMap<EventId, number>;
  readonly effectsByEvent: ReadonlyMap<EventId, readonly EventId[]>;
  readonly violatingEvents: ReadonlySet<EventId>;
  readonly laneById: ReadonlyMap<string, Lane>;
  /** Position of an event in time order. */
  readonly orderByEvent: ReadonlyMap<EventId, number>;
}

export function indexDocument(report: ReportDocument): ReportIndex {
  const effects = new Map<EventId, EventId[]>();
  for (const event of report.events) {
    for (const cause of event.causes) {
      const known = effects.get(cause);
      if (known === undefined) effects.set(cause, [event.id]);
      else known.push(event.id);
    }
  }
  return {
    report,
    eventById: new Map(report.events.map((event) => [event.id, event])),
    messageByEvent: new Map(report.messages.map((message) => [message.eventId, message])),
    stepByEvent: new Map((report.story?.sentences ?? []).map((sentence, index) => [sentence.eventId, index + 1])),
    effectsByEvent: effects,
    violatingEvents: new Set(report.violations.flatMap((violation) => (violation.eventId === undefined ? [] : [violation.eventId]))),
    laneById: new Map(report.lanes.map((lane) => [lane.id, lane])),
    orderByEvent: new Map(report.events.map((event, order) => [event.id, order])),
  };
}

/** The event and everything it came from, back to the faults. */
export function causeChain(index: ReportIndex, id: EventId | null): ReadonlySet<EventId> {
  const chain = new Set<EventId>();
  const open = id === null ? [] : [id];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (chain.has(next) || !index.eventById.has(next)) continue;
    chain.add(next);
    open.push(...(index.eventById.get(next)?.causes ?? []));
  }
  return chain;
}

/** What a lane was at an instant; undefined where the document says nothing. */
export function laneStateAt(lane: Lane, at: Micros): LaneState | undefined {
  return lane.states.find((state) => state.fromUs <= at && at < (state.toUs ?? Number.POSITIVE_INFINITY));
}

/** The event that the report opens with: the violation's, else the last of the story, else the last of the slice. */
export function openingEvent(index: ReportIndex): EventId | null {
  const violating = index.report.violations.find((violation) => violation.eventId !== undefined)?.eventId;
  const candidates = [
    violating,
    index.report.story?.sentences.at(-1)?.eventId,
    index.report.events.findLast((event) => event.important)?.id,
  ];
  return candidates.find((id) => id !== undefined && index.eventById.has(id)) ?? null;
}
