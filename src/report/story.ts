import type { Trace } from '../harness/recorder.ts';
import type { TrialFile } from '../harness/trial-file.ts';
import type { TrialResult, Violation } from '../harness/trial-result.ts';
import { DEFECTS } from '../model/defects.ts';
import { withBackground } from './background.ts';
import { Causes } from './causes.ts';
import { diagramTitle } from './diagram-title.ts';
import type { LabelledText, ReportCommand, ReportDocument, ReportEvent, Shrinking, Story, TrialStatus, VerdictHeader } from './document.ts';
import { evidenceOf } from './evidence.ts';
import { Events } from './events.ts';
import { bandsOf, planOf } from './fault-plan.ts';
import { FaultMoments } from './fault-moments.ts';
import { expectedOf } from './figures-of-witness.ts';
import { chosenViolation, type Focus, focusOn } from './focus.ts';
import { History } from './history.ts';
import { lanesOf } from './lanes.ts';
import { headline, type Moment, timeOf } from './moment.ts';
import { objectTimelines } from './object-timelines.ts';
import { clientOperations } from './client-operations.ts';
import { passStory } from './pass-story.ts';
import { runSummary } from './run-summary.ts';
import { Sentences } from './sentences.ts';
import { omittedLine, shownLanes } from './shown-lanes.ts';
import { Slice } from './slice.ts';
import { clock } from './time-words.ts';

/** What a report is made from: a trial, what came of it, and the recording of the same run. */
export interface ReportInput {
  readonly trial: TrialFile;
  readonly result: TrialResult;
  readonly trace: Trace;
  /** Runs in fresh processes that gave the same digest. */
  readonly reproduced?: { readonly same: number; readonly tried: number };
  readonly shrinking?: Shrinking;
}

/** Explains a recorded run: the causal slice before the violation, its story, and the evidence. Equal inputs give equal documents. */
export function buildReport({ trial, result, trace, reproduced, shrinking }: ReportInput): ReportDocument {
  const history = new History(trial.input, result, trace);
  const faults = new FaultMoments(result.effects);
  const causes = new Causes(history, faults);
  const slice = new Slice(history, faults, causes);
  const violation = chosenViolation(result, trial.expect.signature);
  const focus = violation === undefined ? undefined : focusOn(history, violation);
  const important = focus === undefined ? slice.ofPass() : slice.ofFailure(focus);
  const lanes = lanesOf(history, shownLanes(history, important, focus?.lanes ?? []));
  const names = lanes.map((lane) => lane.id);
  const shown = new Set(names);
  const moments = withBackground(history, faults, slice, important, shown);
  const events = new Events(history, causes, slice, moments, new Set(important), shown);
  const story = storyOf(history, causes, events, focus, important);
  const omitted = omittedLine(history, names);
  return {
    formatVersion: 1,
    verdict: verdictOf(trial, result, violation, reproduced),
    commands: commandsOf(trial, violation),
    ...(story.sentences.length === 0 ? {} : { story }),
    run: runSummary(history),
    diagramTitle: diagramTitle(history, focus, important.length),
    lanes,
    ...(omitted === undefined ? {} : { lanesOmitted: omitted }),
    events: markTold(events.events, story).map((event) =>
      focus !== undefined && event.id === events.idOf(focus.anchor)
        ? {
            ...event,
            text: [
              event.title === (violation === undefined ? '' : headline(violation.witness)) ? undefined : violation?.witness.sentence,
              event.text,
              defectText(trial),
            ]
              .filter((part) => part !== undefined)
              .join(' '),
          }
        : event,
    ),
    messages: events.messages,
    operations: clientOperations(history, events, shown, important, focus),
    faults: bandsOf(history, names),
    // One line in the diagram: what else was broken stands in the table of properties.
    violations:
      focus === undefined
        ? []
        : [
            {
              atUs: timeOf(history, focus.anchor),
              label: short(focus.violation),
              property: focus.violation.property,
              ...idField(events.idOf(focus.anchor)),
            },
          ],
    ...(focus === undefined ? {} : { expected: expectedOf(history, focus, (moment: Moment) => events.idOf(moment)) }),
    objects: objectTimelines(history, violation?.witness.subjects ?? [], violation?.witness.atUs ?? result.endUs, (fact) =>
      events.idOf(fact),
    ),
    plan: planOf(history, { shrunk: trial.shrunk !== undefined }),
    properties: result.properties.map((row) => ({
      property: row.property,
      outcome: row.verdict,
      checks: row.exercised,
      ...(row.reason === undefined ? {} : { reason: row.reason }),
    })),
    evidence: evidenceOf(history, events.events, violation?.witness.atUs, shrinking),
  };
}

/** What the story tells is in the slice, also where the causes alone would have left it out. */
function markTold(events: readonly ReportEvent[], story: Story): readonly ReportEvent[] {
  const told = new Set(story.sentences.map((sentence) => sentence.eventId));
  return events.map((event) => (told.has(event.id) && !event.important ? { ...event, important: true } : event));
}

function storyOf(history: History, causes: Causes, events: Events, focus: Focus | undefined, important: readonly Moment[]): Story {
  const sentences = new Sentences(history, causes, events);
  return focus === undefined ? passStory(history, sentences, important) : sentences.ofFailure(focus, important);
}

const STATUS: Readonly<Record<TrialResult['status'], TrialStatus>> = { passed: 'pass', violated: 'fail', inconclusive: 'inconclusive' };

function verdictOf(
  trial: TrialFile,
  result: TrialResult,
  violation: Violation | undefined,
  reproduced: VerdictHeader['reproduced'],
): VerdictHeader {
  const { input } = trial;
  const gaveUp = result.properties.find((row) => row.verdict === 'gave-up' && input.require.includes(row.property));
  const chips: LabelledText[] = [
    { label: 'Models', text: `Kubernetes ${input.versions.kubernetes}, etcd ${input.versions.etcd}` },
    ...input.defects.map((defect) => ({ label: 'Defect on', text: defect, mono: true })),
    ...(result.violations.length > 1 ? [{ label: 'Broken clauses', text: String(result.violations.length) }] : []),
  ];
  return {
    status: STATUS[result.status],
    ...(violation !== undefined
      ? { property: violation.property, clause: violation.witness.clause }
      : gaveUp === undefined
        ? {}
        : { property: gaveUp.property }),
    sentence:
      violation !== undefined
        ? `${headline(violation.witness).replace(/\.$/, '')} (${clock(violation.witness.atUs)}).`
        : gaveUp !== undefined
          ? nextStep(gaveUp.property, gaveUp.reason)
          : passSentence(trial, result),
    ...(violation === undefined ? {} : { expected: violation.witness.expected, actual: violation.witness.actual }),
    trialId: trial.id,
    seed: input.seed,
    scenario: input.scenario,
    virtualTimeUs: result.endUs,
    faults: {
      found: trial.shrunk?.faultsBefore ?? input.faults.length + input.operations.length,
      shown: input.faults.length + input.operations.length,
    },
    ...(reproduced === undefined ? {} : { reproduced }),
    chips,
  };
}

/** What to do about a property that could not judge. */
function nextStep(property: string, reason: string | undefined): string {
  return `Give the trial more room: ${property} came to no verdict${reason === undefined ? '' : ` (${reason})`}. Raise settle in the scenario, or take ${property} out of require.`;
}

function passSentence(trial: TrialFile, result: TrialResult): string {
  const held = result.properties.filter((row) => row.verdict === 'held').length;
  const n = trial.input.faults.length;
  return `${held} properties held in ${clock(result.endUs)} of virtual time under ${n === 1 ? 'one fault' : `${n === 0 ? 'no' : n} faults`}.`;
}

function defectText(trial: TrialFile): string | undefined {
  const on = DEFECTS.filter((defect) => trial.input.defects.includes(defect.id));
  return on.length === 0
    ? undefined
    : on.map((defect) => `Switched on in this trial, ${defect.id} (${defect.upstream}): ${defect.sentence}`).join(' ');
}

function idField(eventId: string | undefined): { readonly eventId?: string } {
  return eventId === undefined ? {} : { eventId };
}

function short({ witness, property }: Violation): string {
  return witness.actual.length <= 36 ? witness.actual : property;
}

function commandsOf(trial: TrialFile, violation: Violation | undefined): readonly ReportCommand[] {
  const id = trial.id;
  if (violation === undefined) {
    return [
      { label: 'Run it again', command: `npx seatrial replay ${id}` },
      { label: 'With its log', command: `npx seatrial replay ${id} --log` },
    ];
  }
  return [
    { label: 'Replay', command: `npx seatrial replay ${id}` },
    {
      label: 'Replay up to the violation, with its log',
      command: `npx seatrial replay ${id} --until ${Math.ceil(violation.witness.atUs / 1000)}ms --log`,
    },
    { label: trial.shrunk === undefined ? 'Shrink' : 'Shrink again', command: `npx seatrial shrink ${id}` },
  ];
}
