import { EventTable } from '../diagram/EventTable.tsx';
import { Diagram } from '../diagram/Diagram.tsx';
import { Legend } from '../diagram/Legend.tsx';
import { Overview } from '../diagram/Overview.tsx';
import { count, plural } from '../format.ts';
import { useView } from '../view-context.ts';

export function DiagramSection() {
  const view = useView();
  const { report } = view.index;
  const slice = report.events.filter((event) => event.important).length;
  return (
    <section id="diagram" aria-labelledby="title-diagram">
      <p class="kick">
        <b>Space-time diagram</b>
        <span>
          {view.showAll.value
            ? `${count(report.events.length)} recorded of ${plural(report.run.eventsTotal, 'event')}`
            : `${count(slice)} of ${plural(report.run.eventsTotal, 'event')}: the causal slice of the ${report.verdict.faults.shown < report.verdict.faults.found ? 'shrunk ' : ''}run`}
        </span>
      </p>
      <h2 id="title-diagram">{report.diagramTitle}</h2>
      <Tools slice={slice} />
      <Diagram />
      <Legend />
      <Overview />
      <EventTable />
    </section>
  );
}

function Tools({ slice }: { readonly slice: number }) {
  const view = useView();
  const { report } = view.index;
  const matches = view.matches.value;
  const visible = view.visible.value;
  return (
    <div class="tools noprint" role="toolbar" aria-label="Diagram">
      <button
        type="button"
        aria-pressed={view.isolate.value}
        onClick={() => {
          view.isolate.value = !view.isolate.value;
        }}
      >
        Only the cause chain <kbd>p</kbd>
      </button>
      <Choice
        label="Time scale"
        options={[
          ['folded', 'Folded'],
          ['true', 'True scale'],
        ]}
        value={view.scale.value}
        set={(value) => {
          view.scale.value = value;
        }}
      />
      <Choice
        label="Lane order"
        options={[
          ['role', 'By role'],
          ['host', 'By host'],
        ]}
        value={view.order.value}
        set={(value) => {
          view.order.value = value;
        }}
      />
      <label class="find">
        <span class="sr">Filter events</span>
        <input
          id="filter"
          type="search"
          placeholder="node:etcd-2 kind:lost !vote"
          autocomplete="off"
          spellcheck={false}
          value={view.query.value}
          onInput={(event) => {
            view.query.value = event.currentTarget.value;
          }}
        />
        <kbd>/</kbd>
      </label>
      {report.events.length > slice && (
        <button
          type="button"
          class="plain"
          onClick={() => {
            view.showAll.value = !view.showAll.value;
          }}
        >
          {view.showAll.value
            ? 'Show the causal slice'
            : `Show all ${plural(report.events.length, report.events.length < report.run.eventsTotal ? 'recorded event' : 'event')}`}
        </button>
      )}
      {view.window.value !== view.firstWindow && (
        <button
          type="button"
          class="plain"
          onClick={() => {
            view.window.value = view.firstWindow;
          }}
        >
          Reset the window
        </button>
      )}
      <span class="small dim" role="status">
        {matches === undefined ? '' : `${visible.filter(matches).length} of ${plural(visible.length, 'event')}`}
      </span>
    </div>
  );
}

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly options: readonly (readonly [T, string])[];
  readonly value: T;
  readonly set: (value: T) => void;
}

function Choice<T extends string>({ label, options, value, set }: ChoiceProps<T>) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset would draw a frame and a legend
    <div class="seg" role="group" aria-label={label}>
      {options.map(([name, text]) => (
        <button key={name} type="button" aria-pressed={value === name} onClick={() => set(name)}>
          {text}
        </button>
      ))}
    </div>
  );
}
