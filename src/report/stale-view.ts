import type { FaultEffect } from '../harness/plan.ts';
import type { ApiRequest } from '../model/api/request.ts';
import { type Micros, SECOND } from '../sim/time.ts';
import type { History } from './history.ts';
import { frameOf } from './message-labels.ts';
import { span } from './time-words.ts';

/** What a program reads right after it started is old news if it is older than this. */
const FRESH_US = SECOND;

/** An API server from whose late cache a program learned what it acted on. */
interface StaleView {
  readonly server: string;
  readonly fault: FaultEffect;
  readonly askedAtUs: Micros;
}

/** The API server that a program asked for all objects of a resource last, if a fault held its watches of etcd back then. */
function staleView(history: History, program: string, resource: string, atUs: Micros): StaleView | undefined {
  const asked = (history.departures.get(program) ?? []).findLast((message) => {
    const frame = frameOf(message);
    if (message.sentAtUs > atUs || (frame?.t !== 'call' && frame?.t !== 'open')) return false;
    const request = frame.body as ApiRequest | undefined;
    return (request?.verb === 'list' || request?.verb === 'watch') && request.resource === resource;
  });
  if (asked === undefined) return undefined;
  const server = history.to(asked);
  const fault = history.result.effects.find(
    (effect) =>
      effect.kind === 'watch-stall' &&
      effect.touched > 0 &&
      effect.lanes.includes(server) &&
      effect.injectedAtUs + FRESH_US < asked.sentAtUs &&
      asked.sentAtUs < (effect.healedAtUs ?? Number.POSITIVE_INFINITY),
  );
  return fault === undefined ? undefined : { server, fault, askedAtUs: asked.sentAtUs };
}

/**
 * "kubelet-worker-0, started again, asks api-2 for its pods; F1 has held back what api-2 hears from etcd for 14.9 s": why a kubelet took a
 * pod that had moved on. Undefined: it had no reason to believe what was not so.
 */
export function sayStaleKubelet(history: History, node: string, atUs: Micros): string | undefined {
  const program = `kubelet-${node}`;
  const restart = history.lastRestart(program, atUs);
  const view = staleView(history, program, 'pods', atUs);
  if (view === undefined) return undefined;
  const again = restart !== undefined && restart.atUs <= view.askedAtUs ? ', started again,' : '';
  const { server, fault } = view;
  return `${program}${again} asks ${server} for its pods; ${fault.id} has held back what ${server} hears from etcd for ${span(view.askedAtUs - fault.injectedAtUs)}`;
}
