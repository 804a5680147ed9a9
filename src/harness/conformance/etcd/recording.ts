/** One thing that the recorder did before a line's request. */
export type Action =
  | { readonly lead: string }
  | { readonly wait: number }
  | { readonly kill: readonly string[] }
  | { readonly stop: readonly string[] }
  | { readonly pause: readonly string[] }
  | { readonly resume: readonly string[] }
  | { readonly start: readonly string[] }
  | { readonly startNew: string }
  | {
      readonly puts: {
        readonly at: string;
        readonly count?: number;
        readonly untilError?: boolean;
        readonly key: string;
        readonly value?: string;
        readonly valueBytes?: number;
      };
    };

export interface RecordedRequest {
  readonly path: string;
  readonly body?: unknown;
  readonly bodySpec?: { readonly [branch: string]: { readonly repeat: number } & { readonly [field: string]: unknown } };
  readonly bodies?: readonly unknown[];
  readonly raw?: string;
  readonly method?: string;
  readonly headers?: { readonly [name: string]: string };
}

export interface RecordedError {
  readonly http?: number;
  readonly code?: number;
  readonly message?: string;
  readonly messageOneOf?: readonly string[];
  readonly transport?: string;
}

/** One line of a recording of a real etcd; see the recordings' README for what each field means. */
export interface RecordedLine {
  readonly step: number;
  readonly name: string;
  readonly at?: string;
  readonly do?: readonly Action[];
  readonly group?: string;
  readonly request?: RecordedRequest;
  readonly response?: unknown;
  readonly error?: RecordedError;
  readonly stream?: string;
  readonly waitFor?: { readonly count: number; readonly ms: number };
  readonly messages?: readonly unknown[];
  readonly ended?: string;
  readonly anyOrder?: boolean;
  readonly until?: {
    readonly at?: string;
    readonly serializable?: boolean;
    readonly key?: string;
    readonly value?: string;
    readonly answers?: boolean;
    readonly gone?: boolean;
    readonly leader?: string;
    readonly exited?: string;
  };
  readonly observe?: {
    readonly at?: string;
    readonly leader?: string;
    readonly leaseTtlAbove?: readonly [string, number];
    readonly exitCode?: string;
  };
  readonly happened?: boolean;
  readonly holds?: boolean;
  readonly exit?: { readonly code: number | null; readonly sig: string | null };
  readonly oneOf?: readonly unknown[];
}

/** Parses a recording; throws with the number of a line that is not one. */
export function parseRecording(text: string): readonly RecordedLine[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      try {
        return JSON.parse(line) as RecordedLine;
      } catch (error) {
        throw new Error(`line ${i + 1} is not JSON: ${String(error)}`);
      }
    });
}

/** Whether a line counts as a case. */
export function isCase(line: RecordedLine): boolean {
  return (
    line.request !== undefined ||
    line.messages !== undefined ||
    line.happened !== undefined ||
    line.holds !== undefined ||
    line.exit !== undefined ||
    line.oneOf !== undefined
  );
}
