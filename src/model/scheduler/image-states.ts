import type { Node } from '../api/types.ts';
import type { ImageState, NodeInfo } from './node-info.ts';

/** Which images lie on which nodes: upstream cacheImpl.imageStates. The first node to report an image decides its size. */
export class ImageStates {
  readonly #states = new Map<string, ImageState>();

  /** Takes over a node's image list. */
  set(info: NodeInfo, node: Node, previous: Node | undefined): void {
    if (node.status?.images === previous?.status?.images && previous !== undefined) return;
    if (previous !== undefined) this.remove(previous);
    const images = new Map<string, ImageState>();
    for (const image of node.status?.images ?? []) {
      for (const name of image.names ?? []) {
        let state = this.#states.get(name);
        if (state === undefined) {
          state = { sizeBytes: image.sizeBytes ?? 0, nodes: new Set() };
          this.#states.set(name, state);
        }
        state.nodes.add(info.name);
        images.set(name, state);
      }
    }
    info.images = images;
  }

  remove(node: Node): void {
    const nodeName = node.metadata.name ?? '';
    for (const image of node.status?.images ?? []) {
      for (const name of image.names ?? []) {
        const state = this.#states.get(name);
        if (state === undefined) continue;
        state.nodes.delete(nodeName);
        if (state.nodes.size === 0) this.#states.delete(name);
      }
    }
  }
}
