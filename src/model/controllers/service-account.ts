import type { Namespace, ServiceAccount } from '../api/types.ts';
import type { Informer } from '../client/informer.ts';
import { NAMESPACES, SERVICE_ACCOUNTS } from '../client/resources.ts';
import { isAlreadyExists, isNamespaceTerminating } from '../client/result.ts';
import { type ReconcileError, runWorkers, WorkQueue } from '../client/work-queue.ts';
import type { Task } from '../../sim/task.ts';
import type { ControllerContext, ControllerRow } from './context.ts';

/** Every active namespace has a service account 'default': pkg/controller/serviceaccount/serviceaccounts_controller.go. */
export const serviceAccountController: ControllerRow = {
  name: 'serviceaccount-controller',
  start(context: ControllerContext): void {
    const namespaces: Informer<Namespace> = context.informer(NAMESPACES);
    const accounts: Informer<ServiceAccount> = context.informer(SERVICE_ACCOUNTS);
    const queue = new WorkQueue(context.process);
    namespaces.addHandler({ onAdd: (ns) => queue.add(ns.metadata.name ?? ''), onUpdate: (_, ns) => queue.add(ns.metadata.name ?? '') });
    accounts.addHandler({ onDelete: (account) => queue.add(account.metadata.namespace ?? '') });
    function* sync(name: string): Task<ReconcileError> {
      const namespace = namespaces.get(name);
      // Upstream: a terminating namespace gets nothing new.
      if (namespace === undefined || (namespace.status?.phase ?? 'Active') !== 'Active') return undefined;
      if (accounts.get(`${name}/default`) !== undefined) return undefined;
      const created = yield* context.client
        .resource(SERVICE_ACCOUNTS)
        .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
      if (created.ok || isAlreadyExists(created) || isNamespaceTerminating(created)) return undefined;
      return created;
    }
    context.whenSynced([namespaces, accounts], () => {
      runWorkers(context.process, 'serviceaccount', queue, 1, sync);
    });
  },
};
