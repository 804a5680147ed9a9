import { type Labels, type ParsedLabelSelector, labelsMatch, selectorOf } from '../api/label-selector.ts';
import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../api/types.ts';

/** A pod affinity term with its selectors compiled: upstream framework.AffinityTerm. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: ParsedLabelSelector;
  readonly namespaces: ReadonlySet<string>;
  /** Undefined: by name only. */
  readonly namespaceSelector: ParsedLabelSelector | undefined;
}

export interface WeightedAffinityTerm extends AffinityTerm {
  readonly weight: number;
}

/** Reads the labels of a namespace from the scheduler's own informer. */
export type NamespaceLabels = (namespace: string) => Labels;

function compile(pod: Pod, term: PodAffinityTerm): AffinityTerm {
  const own = (term.namespaces ?? []).length === 0 && term.namespaceSelector === undefined;
  return {
    topologyKey: term.topologyKey,
    selector: selectorOf(term.labelSelector),
    namespaces: new Set(own ? [pod.metadata.namespace ?? ''] : (term.namespaces ?? [])),
    namespaceSelector: term.namespaceSelector === undefined ? undefined : selectorOf(term.namespaceSelector),
  };
}

const none: readonly never[] = [];

export function compileTerms(pod: Pod, terms: readonly PodAffinityTerm[] | undefined): readonly AffinityTerm[] {
  if (terms === undefined || terms.length === 0) return none;
  return terms.map((term) => compile(pod, term));
}

export function compileWeightedTerms(pod: Pod, terms: readonly WeightedPodAffinityTerm[] | undefined): readonly WeightedAffinityTerm[] {
  if (terms === undefined || terms.length === 0) return none;
  return terms.map((term) => ({ ...compile(pod, term.podAffinityTerm), weight: term.weight }));
}

/** Whether the term speaks of this pod. */
export function termMatches(term: AffinityTerm, pod: Pod, namespaceLabels: NamespaceLabels): boolean {
  const namespace = pod.metadata.namespace ?? '';
  if (!term.namespaces.has(namespace)) {
    if (term.namespaceSelector === undefined || !labelsMatch(term.namespaceSelector, namespaceLabels(namespace))) return false;
  }
  return labelsMatch(term.selector, pod.metadata.labels);
}
