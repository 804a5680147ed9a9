import {
  ConfChangeAddLearnerNode,
  ConfChangeAddNode,
  ConfChangeRemoveNode,
  type ConfChangeSingle,
  type ConfChangeType,
  ConfChangeUpdateNode,
} from '../../../raft/types.ts';
import { ScriptError } from './environment.ts';

const letters: ReadonlyMap<string, ConfChangeType> = new Map([
  ['v', ConfChangeAddNode],
  ['l', ConfChangeAddLearnerNode],
  ['r', ConfChangeRemoveNode],
  ['u', ConfChangeUpdateNode],
]);

/** Parses operations such as `v1 l2 r3 u4`. */
export function parseConfChanges(text: string): ConfChangeSingle[] {
  const tokens = text.split(/\s+/).filter((token) => token !== '');
  return tokens.map((token) => {
    if (token.length < 2) throw new ScriptError(`unknown token ${token}`);
    const type = letters.get(token.slice(0, 1));
    if (type === undefined) throw new ScriptError(`unknown input: ${token}`);
    if (!/^\d+$/.test(token.slice(1))) {
      throw new ScriptError(`strconv.ParseUint: parsing ${JSON.stringify(token.slice(1))}: invalid syntax`);
    }
    return { type, nodeId: Number(token.slice(1)) };
  });
}
