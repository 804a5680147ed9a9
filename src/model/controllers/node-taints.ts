import type { Node, Taint } from '../api/types.ts';
import { formatTime } from '../api/time.ts';
import { NODES } from '../client/resources.ts';
import { retryOnConflict } from '../client/batch.ts';
import type { ApiFailure, ApiResult } from '../client/result.ts';
import type { Client } from '../client/typed-client.ts';
import type { Task } from '../../sim/task.ts';
import { sameTaint } from './node-conditions.ts';

type Change = (taints: readonly Taint[]) => readonly Taint[] | undefined;

/** Adds taints (in one write), then removes others (in another): upstream controllerutil.SwapNodeControllerTaint. */
export function* swapTaints(client: Client, node: Node, add: readonly Taint[], remove: readonly Taint[]): Task<ApiFailure | undefined> {
  const timeAdded = formatTime(client.transport.process.wall());
  if (add.length > 0) {
    const stamped = add.map((taint) => ({ ...taint, timeAdded }));
    const failure = yield* changeTaints(client, node, (taints) => addTaints(taints, stamped));
    if (failure !== undefined) return failure;
  }
  if (remove.length > 0) {
    return yield* changeTaints(client, node, (taints) => {
      const left = taints.filter((taint) => !remove.some((gone) => sameTaint(gone, taint)));
      return left.length === taints.length ? undefined : left;
    });
  }
  return undefined;
}

function addTaints(taints: readonly Taint[], add: readonly Taint[]): readonly Taint[] | undefined {
  let changed = false;
  const next = [...taints];
  for (const taint of add) {
    const at = next.findIndex((other) => sameTaint(other, taint));
    if (at < 0) {
      next.push(taint);
      changed = true;
    } else if ((next[at] as Taint).value !== taint.value) {
      next[at] = taint;
      changed = true;
    }
  }
  return changed ? next : undefined;
}

/** Reads the node (a cached state will do for the first try), changes its taints, patches under its version. */
function* changeTaints(client: Client, node: Node, change: Change): Task<ApiFailure | undefined> {
  const nodes = client.resource(NODES);
  const name = node.metadata.name ?? '';
  let first = true;
  const result: ApiResult<Node> = yield* retryOnConflict(client.transport.process, function* (): Task<ApiResult<Node>> {
    const read: ApiResult<Node> = yield* nodes.get('', name, first ? { options: { resourceVersion: '0' } } : {});
    first = false;
    if (!read.ok) return read;
    const taints = change(read.object.spec?.taints ?? []);
    if (taints === undefined) return read;
    const patch = {
      metadata: { resourceVersion: read.object.metadata.resourceVersion ?? '' },
      spec: { taints: taints.length === 0 ? null : taints.map(asJson) },
    };
    return yield* nodes.patch('', name, 'strategic', patch);
  });
  return result.ok ? undefined : result;
}

function asJson(taint: Taint): { readonly [key: string]: string } {
  return {
    key: taint.key,
    effect: taint.effect,
    ...(taint.value === undefined ? {} : { value: taint.value }),
    ...(taint.timeAdded === undefined ? {} : { timeAdded: taint.timeAdded }),
  };
}
