import { Judge } from '../src/harness/judge.ts';
import type { UntypedObject } from '../src/model/api/object.ts';
import { buildCluster, type ClusterOverrides } from '../src/model/cluster.ts';
import type { ClusterSpec } from '../src/model/cluster-spec.ts';
import { createFacts } from '../src/model/facts.ts';
import { Kubectl } from '../src/model/workload/kubectl.ts';
import { SECOND } from '../src/sim/time.ts';
import { World } from '../src/sim/world.ts';

const LOOK_EVERY_US = SECOND / 10;
const UNHURRIED = { kubeApiQps: 5000, kubeApiBurst: 5000, leaderElect: false };
const AS_MEASURED: ClusterOverrides = { controllerManager: UNHURRIED, scheduler: UNHURRIED };

interface DeploymentLike {
  readonly metadata: { readonly generation?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly replicas?: number;
  };
}

/** A cluster with all properties on and one user, outside of any trial. */
export class BenchCluster {
  readonly world: World;
  readonly user: Kubectl;
  /** Deployments by name, as last committed. */
  readonly #deployments = new Map<string, DeploymentLike>();
  readonly #judge: Judge;

  /** `asMeasured`: with the settings of the real control plane that figures are held against: one of each, no leader election, QPS 5,000. */
  constructor(spec: ClusterSpec, asMeasured = false) {
    this.world = new World({ seed: 'bench' });
    const facts = createFacts();
    const members = Array.from({ length: spec.controlPlanes }, (_, i) => `etcd-${i}`);
    this.#judge = new Judge(facts, this.world, members, spec.kubernetes);
    const cluster = buildCluster(this.world, spec, { facts, ...(asMeasured ? { overrides: AS_MEASURED } : {}) });
    facts.objectChanged.subscribe((_revision, key, object) => {
      const name = /^\/registry\/deployments\/default\/(.*)$/.exec(key)?.[1];
      if (name !== undefined && object !== undefined) this.#deployments.set(name, object as DeploymentLike);
    });
    this.user = new Kubectl({
      name: 'user-0',
      servers: cluster.apiServers,
      facts,
      onRefused: (source, message) => {
        throw new Error(`${source}: ${message}`);
      },
    });
    this.world.host('client-0').install(this.user.program());
  }

  deploy(name: string, replicas: number): void {
    this.user.order({ what: 'apply', source: name, object: deployment(name, replicas) });
  }

  /** Whether all replicas of the newest revision are ready and the old ones gone. */
  isReady(name: string, replicas: number): boolean {
    const object = this.#deployments.get(name);
    const status = object?.status;
    return (
      status?.observedGeneration === object?.metadata.generation &&
      status?.readyReplicas === replicas &&
      status.updatedReplicas === replicas &&
      status.replicas === replicas
    );
  }

  run(seconds: number): void {
    this.world.run(this.world.now + seconds * SECOND);
  }

  /** Runs until something is so. @throws Error when it is not in time, or a property was violated */
  until(what: string, done: () => boolean, limitSeconds: number): void {
    const limit = this.world.now + limitSeconds * SECOND;
    while (!done()) {
      if (this.world.now >= limit) throw new Error(`not within ${limitSeconds} virtual seconds: ${what}`);
      this.world.run(this.world.now + LOOK_EVERY_US);
    }
    const [violation] = this.#judge.violations;
    if (violation !== undefined) throw new Error(`${violation.property}: ${violation.witness.sentence}`);
  }
}

function deployment(name: string, replicas: number): UntypedObject {
  const labels = { app: name };
  const resources = { requests: { cpu: '10m', memory: '16Mi' } };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: 'default' },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'app', image: 'registry.example/web:1', resources }] },
      },
    },
  } as unknown as UntypedObject;
}
