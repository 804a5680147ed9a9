import type { AppEnvironment, Behaviour } from '../../kubelet/app.ts';
import { appAnnotation, appSettings } from '../app-settings.ts';
import { Server } from './serve.ts';

/** The part of an AdmissionReview that a webhook reads. */
interface Review {
  readonly kind?: string;
  readonly apiVersion?: string;
  readonly request?: {
    readonly uid: string;
    readonly object: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } } | null;
  };
}

type Verdict = { readonly allowed: boolean; readonly status?: object; readonly patch?: readonly object[]; readonly patchType?: string };

/**
 * An admission webhook: a service that answers AdmissionReviews as the annotation `seatrial.dev/webhook` says. `allow` (the default), `deny`
 * or `deny TEXT`, `require-label KEY`, `add-label KEY=VALUE`.
 */
export const admissionWebhook: Behaviour = {
  name: 'admission-webhook',
  start: (environment) =>
    new Server(environment, appSettings(environment.pod, environment.container), true, (body) =>
      answer(environment, body as Review | undefined),
    ),
};

function answer(environment: AppEnvironment, review: Review | undefined): unknown {
  if (review?.request === undefined) return undefined;
  const rule = appAnnotation(environment.pod, environment.container, 'webhook') ?? 'allow';
  const { uid, object } = review.request;
  return { kind: 'AdmissionReview', apiVersion: review.apiVersion, response: { uid, ...verdict(rule, object?.metadata?.labels ?? {}) } };
}

function verdict(rule: string, labels: Readonly<Record<string, string>>): Verdict {
  const [word = '', ...rest] = rule.split(' ');
  const text = rest.join(' ');
  switch (word) {
    case 'deny':
      return denied(text);
    case 'require-label':
      return labels[text] === undefined ? denied(`label ${text} is required`) : { allowed: true };
    case 'add-label': {
      const [key = '', value = ''] = text.split('=');
      if (labels[key] === value) return { allowed: true };
      return {
        allowed: true,
        patchType: 'JSONPatch',
        patch: [{ op: 'add', path: '/metadata/labels', value: { ...labels, [key]: value } }],
      };
    }
    default:
      return { allowed: true };
  }
}

function denied(message: string): Verdict {
  return { allowed: false, status: { code: 403, reason: 'Forbidden', ...(message === '' ? {} : { message }) } };
}
