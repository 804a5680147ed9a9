import { type ScorePlugin, nodeScoreMax } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';

const mebibyte = 1024 * 1024;
const thresholdMin = 23 * mebibyte;
const thresholdMaxPerContainer = 1000 * mebibyte;

/** References without a tag mean `latest`: upstream normalizedImageName. */
function normalized(image: string): string {
  return image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image;
}

/** Prefers nodes that already hold the pod's images; an image held by few nodes counts for less, so that pods do not pile up. */
export const imageLocality: ScorePlugin = {
  name: 'ImageLocality',
  weight: 1,
  prepareScore: (pod, _nodes, view) => {
    const images: string[] = [];
    for (const container of pod.pod.spec.initContainers ?? []) images.push(normalized(container.image ?? ''));
    for (const container of pod.pod.spec.containers) images.push(normalized(container.image ?? ''));
    const thresholdMax = thresholdMaxPerContainer * images.length;
    const nodeCount = view.nodes.length;
    return {
      scoreAll: (nodes: readonly NodeInfo[], out: number[]) => {
        for (let i = 0; i < nodes.length; i++) {
          const node = nodes[i] as NodeInfo;
          out[i] = 0;
          if (node.images.size === 0) continue;
          let sum = 0;
          for (const image of images) {
            const state = node.images.get(image);
            if (state !== undefined) sum += Math.floor(state.sizeBytes * (state.nodes.size / nodeCount));
          }
          if (sum <= thresholdMin) continue;
          out[i] = Math.floor((nodeScoreMax * (Math.min(sum, thresholdMax) - thresholdMin)) / (thresholdMax - thresholdMin));
        }
      },
    };
  },
};
