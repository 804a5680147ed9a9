import type { Node } from '../api/types.ts';

/** Nodes grouped by zone, listed in turns, so that a search that stops early has seen all zones alike: upstream nodeTree. */
export class NodeTree {
  readonly #zones = new Map<string, string[]>();
  readonly #zoneOf = new Map<string, string>();

  set(name: string, node: Node): void {
    const zone = zoneKey(node);
    const known = this.#zoneOf.get(name);
    if (known === zone) return;
    if (known !== undefined) this.remove(name);
    this.#zoneOf.set(name, zone);
    const names = this.#zones.get(zone);
    if (names === undefined) this.#zones.set(zone, [name]);
    else names.push(name);
  }

  remove(name: string): void {
    const zone = this.#zoneOf.get(name);
    if (zone === undefined) return;
    this.#zoneOf.delete(name);
    const names = (this.#zones.get(zone) ?? []).filter((other) => other !== name);
    if (names.length === 0) this.#zones.delete(zone);
    else this.#zones.set(zone, names);
  }

  /** All names: the first of every zone, then the second of every zone… Zones stand in the order in which they appeared. */
  list(): string[] {
    const zones = [...this.#zones.values()];
    const longest = zones.reduce((max, names) => Math.max(max, names.length), 0);
    const out: string[] = [];
    for (let i = 0; i < longest; i++) {
      for (const names of zones) {
        const name = names[i];
        if (name !== undefined) out.push(name);
      }
    }
    return out;
  }
}

function zoneKey(node: Node): string {
  const labels = node.metadata.labels;
  return `${labels?.['topology.kubernetes.io/region'] ?? ''}/${labels?.['topology.kubernetes.io/zone'] ?? ''}`;
}
