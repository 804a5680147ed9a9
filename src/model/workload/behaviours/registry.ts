import type { Container, Pod } from '../../api/types.ts';
import type { Behaviour, BehaviourResolver, ContainerRole } from '../../kubelet/app.ts';
import { appAnnotation, imageTag } from '../app-settings.ts';
import { admissionWebhook } from './admission-webhook.ts';
import { commandBehaviour } from './command.ts';
import { crash, job } from './job.ts';
import { neverReady, serve } from './serve.ts';

/** Behaviours that an annotation may name: one row each. */
export const BEHAVIOURS: readonly Behaviour[] = [serve, neverReady, crash, job, admissionWebhook];

/** Tags of images that are known to be broken. */
const BROKEN_TAGS: Readonly<Record<string, Behaviour>> = { broken: neverReady, 'never-ready': neverReady, crash, crashing: crash };

/**
 * What a container runs: the behaviour that its annotation names; else by the image's tag; else a simple command as written; else containers
 * that are meant to end (init containers, pods that are not restarted always) are jobs, and all others serve.
 */
export const resolveBehaviour: BehaviourResolver = (pod: Pod, container: Container, role: ContainerRole): Behaviour => {
  const named = role === 'init' ? undefined : appAnnotation(pod, container, 'behaviour');
  if (named !== undefined) return BEHAVIOURS.find((behaviour) => behaviour.name === named) ?? serve;
  const broken = role === 'main' ? BROKEN_TAGS[imageTag(container.image ?? '')] : undefined;
  if (broken !== undefined) return broken;
  const command = commandBehaviour(container);
  if (command !== undefined) return command;
  if (role === 'init') return job;
  const policy = pod.spec.restartPolicy ?? 'Always';
  return role === 'main' && policy !== 'Always' ? job : serve;
};
