import { changedEach, withMissing } from '../../defaults/missing.ts';
import type { MutatingWebhookConfiguration } from '../../types.ts';
import type { FieldErrors } from '../../validation/field-errors.ts';
import { sameValue } from '../../validation/immutable.ts';
import { checkMetadata, checkMetadataUpdate } from '../../validation/metadata.ts';
import { nameIsDnsSubdomain } from '../../validation/names.ts';
import { age, columns } from '../columns.ts';
import { defineKind } from '../define.ts';
import { freshGeneration, nextGeneration } from '../strategy.ts';
import { checkWebhooks, defaultWebhook } from './webhooks.ts';

/** Upstream: pkg/registry/admissionregistration/mutatingwebhookconfiguration/strategy.go. Its generation counts changes of the webhooks. */
const rule = { namespaced: false, name: nameIsDnsSubdomain };
type Webhook = NonNullable<MutatingWebhookConfiguration['webhooks']>[number];

export const mutatingWebhookConfiguration = defineKind<MutatingWebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'mutatingwebhookconfigurations',
  {
    setDefaults: (object) =>
      changedEach(object, 'webhooks', (webhook: Webhook) => withMissing(defaultWebhook(webhook), { reinvocationPolicy: 'Never' })),
    prepareForCreate: freshGeneration,
    prepareForUpdate: (next, previous) => nextGeneration(next, previous, !sameValue(next.webhooks, previous.webhooks)),
    validate({ metadata, webhooks }) {
      const out: FieldErrors = [];
      checkMetadata(metadata, rule, out);
      checkWebhooks(webhooks, out);
      return out;
    },
    validateUpdate(next, previous) {
      const out: FieldErrors = [];
      checkMetadataUpdate(next.metadata, previous.metadata, rule, out);
      if (next.webhooks !== previous.webhooks) checkWebhooks(next.webhooks, out);
      return out;
    },
    columns: columns<MutatingWebhookConfiguration>('mutatingwebhookconfigurations.admissionregistration.k8s.io', [
      ['Webhooks', 'integer', ({ webhooks }) => webhooks?.length ?? 0],
      age(),
    ]),
  },
);
