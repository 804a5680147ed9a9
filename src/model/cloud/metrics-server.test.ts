import { expect, it } from 'vitest';
import { SECOND } from '../../sim/time.ts';
import { World } from '../../sim/world.ts';
import { buildCluster } from '../cluster.ts';
import { parseLabelSelector, type ParsedLabelSelector } from '../api/label-selector.ts';
import type { Pod } from '../api/types.ts';
import { PODS } from '../client/resources.ts';
import type { PodMetricsAnswer } from '../controllers/pod-metrics.ts';
import { createFacts } from '../facts.ts';
import { REGISTRY_HOST } from '../kubelet/runtime/registry.ts';
import { clusterPreset } from '../presets.ts';
import { metricsOfServer } from './metrics-server.ts';

const pod = (name: string, memory: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', labels: { app: name }, annotations: { 'seatrial.dev/memory': memory } },
  spec: { containers: [{ name: 'c', image: 'registry.example/app:1', ports: [{ containerPort: 80 }] }] },
});

it('tells what running pods use, by selector, as its last round through the kubelets found it; nothing of a node that does not answer', () => {
  const world = new World({ seed: 'metrics' });
  const cluster = buildCluster(world, { ...clusterPreset('single'), metricsServer: true }, { facts: createFacts() });
  const answers: PodMetricsAnswer[] = [];
  world.host('client-0').install({
    name: 'user',
    start: (process) => {
      const admin = { name: 'admin', groups: ['system:masters'] };
      const client = cluster.client(process, admin, 'kubectl');
      const metrics = metricsOfServer(process, world.network, REGISTRY_HOST);
      const ask = function* () {
        answers.push(yield* metrics.list('default', parseLabelSelector('app=a') as ParsedLabelSelector));
      };
      process.after(10 * SECOND, () =>
        process.spawn(
          'create',
          (function* () {
            for (const [name, memory] of [
              ['a', '64Mi'],
              ['b', '32Mi'],
            ] as const)
              expect((yield* client.resource(PODS).create(pod(name, memory))).ok).toBe(true);
          })(),
        ),
      );
      for (const at of [60, 120]) process.after(at * SECOND, () => process.spawn('ask', ask()));
    },
  });
  world.run(70 * SECOND);
  expect(answers[0]).toMatchObject({ ok: true, pods: [{ name: 'a', memoryBytes: 64 * 1024 * 1024 }] });
  world.host('worker-0').process('kubelet-worker-0')?.pause();
  world.run(140 * SECOND);
  expect(answers[1]).toMatchObject({ ok: true, pods: [] });
});
