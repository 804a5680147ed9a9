import type { ReportDocument, RichText } from './document.ts';

/** What every document must keep to, whatever it tells; answers what it does not keep to. */
export function brokenRules(document: ReportDocument): readonly string[] {
  const broken: string[] = [];
  const rule = (holds: boolean, text: string): void => {
    if (!holds) broken.push(text);
  };
  const lanes = new Set(document.lanes.map((lane) => lane.id));
  const events = new Map(document.events.map((event) => [event.id, event]));
  rule(events.size === document.events.length, 'event ids are unique');
  rule(document.events.length <= 3000, `at most 3000 events, not ${document.events.length}`);
  rule(document.events.filter((event) => event.important).length <= 40, 'at most 40 important events');
  document.events.forEach((event, i) => {
    rule((document.events[i - 1]?.atUs ?? 0) <= event.atUs, `${event.id} stands in time order`);
    rule(lanes.has(event.lane), `${event.id} (${event.title}) is on a lane, not on ${event.lane}`);
    rule(!/undefined|NaN|\[object/.test(`${event.title} ${event.text ?? ''} ${event.label}`), `${event.id} reads well: ${event.title}`);
    for (const cause of event.causes)
      rule((events.get(cause)?.atUs ?? Number.POSITIVE_INFINITY) <= event.atUs, `cause ${cause} of ${event.id} is there, and earlier`);
  });
  for (const message of document.messages) {
    const event = events.get(message.eventId);
    rule(event?.mark === 'message' || event?.mark === 'client', `${message.eventId} stands for a message`);
    rule(lanes.has(message.from.lane) && lanes.has(message.to.lane), `the message of ${message.eventId} has both lanes`);
    rule(message.from.atUs <= message.to.atUs, `the message of ${message.eventId} arrives after it was sent`);
  }
  for (const band of document.faults) for (const lane of band.lanes) rule(lanes.has(lane), `${band.id} covers lanes that are there`);
  for (const operation of document.operations) {
    rule(lanes.has(operation.lane), `operation ${operation.label} has its lane`);
    for (const id of operation.eventIds) rule(events.has(id), `operation ${operation.label} has event ${id}`);
  }
  for (const { states, id } of document.lanes) {
    states.forEach((state, i) => {
      const next = states[i + 1];
      rule(next === undefined || (state.toUs !== undefined && state.toUs <= next.fromUs), `states of ${id} do not overlap`);
    });
  }
  const groups = document.lanes.map((lane) => lane.group).filter((group, i, all) => group !== all[i - 1]);
  rule(new Set(groups).size === groups.length, 'lanes of one group are adjacent');
  for (const violation of document.violations)
    rule(violation.eventId === undefined || events.has(violation.eventId), 'the violation has its event');
  const sentences = document.story?.sentences ?? [];
  rule(new Set(sentences.map((sentence) => sentence.eventId)).size === sentences.length, 'each sentence has an event of its own');
  sentences.forEach((sentence, i) => {
    const text = plain(sentence.text);
    rule(events.has(sentence.eventId), `sentence ${i + 1} has its event`);
    rule((sentences[i - 1]?.atUs ?? 0) <= sentence.atUs, `sentence ${i + 1} stands in time order`);
    rule(/[.]$/.test(text) && !/\.\.|undefined|NaN|\{\d|somebody|\[object| {2}/.test(text), `sentence ${i + 1} reads well: ${text}`);
    for (const id of sentence.alsoEventIds ?? []) rule(events.has(id), `sentence ${i + 1} lights up ${id}`);
  });
  rule(JSON.stringify(document).length < 3_000_000, 'the document is below 3 MB');
  return broken;
}

/** A sentence without its marks. */
export function plain(text: RichText): string {
  return text.map((run) => (typeof run === 'string' ? run : run.text)).join('');
}
