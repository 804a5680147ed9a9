import { condition, controllerUid, field, isTerminal, keyOf, list, matchesLabels, number, text } from './fields.ts';
import type { Property, StoredObject, TrialEnd, Witness } from './property.ts';
import { SECOND, formatSeconds } from '../sim/time.ts';
import { podsThatFit } from './feasibility.ts';

/** A controller that just came back has to find out first. */
const LATE_US = 30 * SECOND;

/** After healing, what was asked for comes true: an independent calculation says what is possible, the committed objects must show it. */
export const eventualReconciliation: Property = {
  id: 'eventual-reconciliation',
  about: 'After all faults healed, Deployments, endpoints and proxies reach the desired state.',
  clauses: [
    { id: 'replicas', must: 'A Deployment ends with as many ready pods of its newest template as it asks for and the nodes can hold.' },
    { id: 'status', must: 'Its status ends equal to what its pods are.' },
    { id: 'endpoints', must: 'The endpoints of a Service end equal to the ready pods that its selector matches.' },
    { id: 'proxies', must: 'Every node ends programmed with the ready endpoints.' },
    { id: 'cronjobs', must: 'A CronJob goes on making Jobs: the last one is not older than two of its periods.' },
    { id: 'nodes', must: 'Every node whose kubelet runs ends Ready, and a pod that is Running has its containers running.' },
  ],
  needsKubernetes: true,
  start({ facts, clock, violate }) {
    const programmed = new Map<string, Map<string, string>>();
    const containers = new Map<string, number>();
    const cronJobsUs = new Map<string, number>();
    const lastJobUs = new Map<string, number>();
    const jobs = new Set<string>();
    // With a clock that was set back, a schedule is behind for as long as that, and rightly so.
    let clocksAreSound = true;
    facts.faultInjected.subscribe((_fault, kind) => {
      if (kind.startsWith('clock-')) clocksAreSound = false;
    });
    facts.objectChanged.subscribe((_revision, key, object) => {
      if (object === undefined) return;
      const uid = text(object, 'metadata', 'uid');
      if (key.startsWith('/registry/cronjobs/') && !cronJobsUs.has(uid)) cronJobsUs.set(uid, clock.now);
      if (!key.startsWith('/registry/jobs/')) return;
      if (jobs.has(uid)) return;
      jobs.add(uid);
      lastJobUs.set(controllerUid(object), clock.now);
    });
    let judged = 0;
    facts.endpointsProgrammed.subscribe((node, service, port, backends) => {
      let ofNode = programmed.get(node);
      if (ofNode === undefined) {
        ofNode = new Map();
        programmed.set(node, ofNode);
      }
      ofNode.set(`${service} ${port}`, backends);
    });
    facts.containerStarted.subscribe((_node, _pod, uid) => containers.set(uid, (containers.get(uid) ?? 0) + 1));
    facts.containerStopped.subscribe((_node, _pod, uid) => containers.set(uid, (containers.get(uid) ?? 0) - 1));

    const judgeAll = (end: TrialEnd, report: (witness: Witness) => void): void => {
      if (end.healedAtUs === undefined) return;
      const world = indexObjects(end);
      const tell = (clause: string, subject: string, what: string, expected: string, actual: string, rows?: ObjectRow[]): void => {
        const witness: Witness = {
          clause,
          atUs: end.atUs,
          sentence: `${what} long after all faults were healed: ${actual} instead of ${expected}.`,
          expected,
          actual,
          subjects: [subject],
          facts: [
            { atUs: end.healedAtUs ?? 0, subject: 'plan', text: 'all faults are healed' },
            { atUs: end.atUs, subject, text: `still has ${actual}` },
          ],
          ...(rows === undefined ? {} : { figure: { kind: 'object-diff', object: subject, rows } }),
        };
        report(witness);
      };
      for (const deployment of world.deployments) {
        judged++;
        judgeDeployment(deployment.object, world, tell);
      }
      for (const service of world.services) judged += judgeService(service.object, world, programmed, tell);
      for (const node of world.nodes) {
        if (end.outside.includes(node.name)) continue;
        judged++;
        if (condition(node.object, 'Ready') !== 'True') {
          tell('nodes', node.name, `Node ${node.name} is not Ready`, 'Ready True', `Ready ${condition(node.object, 'Ready') || 'absent'}`);
        }
      }
      for (const cronJob of clocksAreSound ? world.cronJobs : []) {
        const periodUs = periodOf(text(cronJob.object, 'spec', 'schedule'));
        if (periodUs === undefined || field(cronJob.object, 'spec', 'suspend') === true) continue;
        judged++;
        const last = lastJobUs.get(text(cronJob.object, 'metadata', 'uid'));
        if (end.atUs - (last ?? cronJobsUs.get(text(cronJob.object, 'metadata', 'uid')) ?? 0) <= 2 * periodUs + LATE_US) continue;
        const name = keyOf(cronJob.object);
        const actual = last === undefined ? 'no job at all' : `the last job ${formatSeconds(end.atUs - last)} ago`;
        tell('cronjobs', name, `CronJob ${name} makes no jobs`, `a job every ${formatSeconds(periodUs)}`, actual);
      }
      for (const pod of world.pods) {
        if (text(pod.object, 'status', 'phase') !== 'Running' || condition(pod.object, 'Ready') !== 'True') continue;
        if (end.outside.includes(text(pod.object, 'spec', 'nodeName'))) continue;
        // What runs to its end may end in the very moment in which the trial does.
        if (text(pod.object, 'spec', 'restartPolicy') === 'Never') continue;
        if ((containers.get(text(pod.object, 'metadata', 'uid')) ?? 0) > 0) continue;
        tell('nodes', keyOf(pod.object), `Pod ${keyOf(pod.object)} is called ready`, 'its containers run', 'no container of it runs');
      }
    };
    return {
      exercised: () => judged,
      settled: (end) => {
        let open = 0;
        judgeAll(end, () => open++);
        return open === 0;
      },
      finish: (end) => {
        judged = 0;
        judgeAll(end, violate);
      },
    };
  },
};

type ObjectRow = { readonly field: string; readonly expected: string; readonly actual: string };
type Tell = (clause: string, subject: string, what: string, expected: string, actual: string, rows?: ObjectRow[]) => void;

interface Objects {
  readonly deployments: readonly StoredObject[];
  readonly replicaSets: readonly StoredObject[];
  readonly pods: readonly StoredObject[];
  readonly services: readonly StoredObject[];
  readonly slices: readonly StoredObject[];
  readonly nodes: readonly StoredObject[];
  readonly cronJobs: readonly StoredObject[];
}

function indexObjects(end: TrialEnd): Objects {
  const of = (resource: string): readonly StoredObject[] => end.objects.filter((o) => o.resource === resource);
  return {
    deployments: of('deployments'),
    replicaSets: of('replicasets'),
    pods: of('pods'),
    services: of('services'),
    slices: of('endpointslices'),
    nodes: of('nodes'),
    cronJobs: of('cronjobs'),
  };
}

function judgeDeployment(deployment: object, world: Objects, tell: Tell): void {
  if (field(deployment, 'spec', 'paused') === true || text(deployment, 'metadata', 'deletionTimestamp') !== '') return;
  const name = keyOf(deployment);
  const uid = text(deployment, 'metadata', 'uid');
  const wanted = number(deployment, 1, 'spec', 'replicas');
  const owned = world.replicaSets.filter((set) => controllerUid(set.object) === uid);
  const podsOf = (set: StoredObject): readonly StoredObject[] =>
    world.pods.filter(
      (pod) =>
        controllerUid(pod.object) === text(set.object, 'metadata', 'uid') &&
        !isTerminal(pod.object) &&
        text(pod.object, 'metadata', 'deletionTimestamp') === '',
    );
  const pods = owned.flatMap(podsOf);
  const ready = pods.filter((pod) => condition(pod.object, 'Ready') === 'True').length;
  const newest = owned.toSorted((a, b) => revisionOf(b.object) - revisionOf(a.object))[0];
  // A template that never gets ready stops the rollout by design; then only the old pods must be there.
  const stuck = condition(deployment, 'Progressing') === 'False' || neverReady(deployment);
  if (stuck) return;
  // Pods that wait for a node hold no place yet.
  const bound = pods.filter((pod) => text(pod.object, 'spec', 'nodeName') !== '').length;
  const possible = Math.min(wanted, podsThatFit(deployment, bound, world.nodes, world.pods));
  const newestReady = newest === undefined ? 0 : podsOf(newest).filter((pod) => condition(pod.object, 'Ready') === 'True').length;
  if (newestReady < possible || pods.length > Math.max(wanted, possible)) {
    tell(
      'replicas',
      name,
      `Deployment ${name} is not rolled out`,
      `${possible} ready pods of the newest template`,
      `${newestReady} ready of ${pods.length} pods`,
      [
        { field: 'spec.replicas', expected: String(wanted), actual: String(wanted) },
        { field: 'pods of the newest template, ready', expected: String(possible), actual: String(newestReady) },
        { field: 'pods of all templates', expected: String(wanted), actual: String(pods.length) },
      ],
    );
    return;
  }
  const rows: ObjectRow[] = [
    {
      field: 'status.observedGeneration',
      expected: String(number(deployment, 0, 'metadata', 'generation')),
      actual: String(number(deployment, 0, 'status', 'observedGeneration')),
    },
    { field: 'status.replicas', expected: String(pods.length), actual: String(number(deployment, 0, 'status', 'replicas')) },
    { field: 'status.readyReplicas', expected: String(ready), actual: String(number(deployment, 0, 'status', 'readyReplicas')) },
  ].filter((row) => row.expected !== row.actual);
  const first = rows[0];
  if (first !== undefined)
    tell('status', name, `The status of ${name} is wrong`, `${first.field} ${first.expected}`, `${first.field} ${first.actual}`, rows);
}

function judgeService(service: object, world: Objects, programmed: ReadonlyMap<string, ReadonlyMap<string, string>>, tell: Tell): number {
  const selector = field(service, 'spec', 'selector');
  if (typeof selector !== 'object' || selector === null || Object.keys(selector).length === 0) return 0;
  const name = keyOf(service);
  const namespace = text(service, 'metadata', 'namespace');
  const ready = world.pods
    .filter((pod) => pod.namespace === namespace && matchesLabels(selector, pod.object) && !isTerminal(pod.object))
    .filter((pod) => condition(pod.object, 'Ready') === 'True' && text(pod.object, 'metadata', 'deletionTimestamp') === '')
    .map((pod) => text(pod.object, 'status', 'podIP'))
    .filter((ip) => ip !== '')
    .sort();
  const slices = world.slices.filter(
    (slice) =>
      slice.namespace === namespace &&
      field(slice.object, 'metadata', 'labels', 'kubernetes.io/service-name') === text(service, 'metadata', 'name'),
  );
  const listed = slices
    .flatMap((slice) => list(slice.object, 'endpoints'))
    .filter((endpoint) => field(endpoint, 'conditions', 'ready') !== false)
    .flatMap((endpoint) => list(endpoint, 'addresses') as readonly string[])
    .sort();
  if (ready.join() !== listed.join()) {
    tell('endpoints', name, `The endpoints of Service ${name} are wrong`, `ready endpoints ${show(ready)}`, `${show(listed)}`, [
      { field: 'endpoints[ready].addresses', expected: show(ready), actual: show(listed) },
    ]);
    return 1;
  }
  for (const node of [...programmed.keys()].sort()) {
    for (const [port, backends] of [...(programmed.get(node) as ReadonlyMap<string, string>)].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!port.startsWith(`${name} `)) continue;
      const has = [
        ...new Set(
          backends
            .split(',')
            .filter((b) => b !== '')
            .map((b) => b.slice(0, b.lastIndexOf(':'))),
        ),
      ].sort();
      if (has.join() === ready.join() || ready.length === 0) continue;
      if (!world.nodes.some((n) => n.name === node && condition(n.object, 'Ready') === 'True')) continue;
      tell('proxies', node, `kube-proxy of ${node} routes ${name} wrongly`, show(ready), show(has));
      return 1;
    }
  }
  return 1;
}

function revisionOf(replicaSet: object): number {
  return Number.parseInt(text(replicaSet, 'metadata', 'annotations', 'deployment.kubernetes.io/revision'), 10) || 0;
}

/** Images that the scenario says will never get ready. */
function neverReady(deployment: object): boolean {
  return list(deployment, 'spec', 'template', 'spec', 'containers').some((container) =>
    /:(broken|missing|does-not-exist)$/.test(text(container, 'image')),
  );
}

/** The period of a schedule that names every minute or every nth one; of others nothing is said. */
function periodOf(schedule: string): number | undefined {
  const match = /^\*(?:\/(\d+))? \* \* \* \*$/.exec(schedule);
  return match === null ? undefined : Number(match[1] ?? 1) * 60 * SECOND;
}

function show(addresses: readonly string[]): string {
  return addresses.length === 0 ? 'none' : addresses.join(' ');
}
