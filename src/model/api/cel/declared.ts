import type { CelType } from './type.ts';

/** A declared type with the largest sizes that its values may have: upstream apiservercel.DeclType. */
export interface Declared {
  readonly type: CelType;
  /** Items of a list, entries of a map, characters of a string. */
  readonly elementsMax: number;
  /** Bytes of the smallest JSON of a value. */
  readonly bytesMin: number;
  readonly element?: Declared;
  readonly key?: Declared;
  readonly fields?: ReadonlyMap<string, Declared>;
}
