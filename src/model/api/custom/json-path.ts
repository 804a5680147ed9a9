type Map = Readonly<Record<string, unknown>>;

/** The value at a simple JSON path such as '.spec.replicas', '.status.conditions[?(@.type=="Ready")].status' or '.spec.ports[0].port'. */
export function valueAt(object: unknown, path: string): unknown {
  let values: readonly unknown[] = [object];
  for (const step of path.matchAll(/\.([\w-]+)|\['([^']+)'\]|\[(\d+)\]|\[\*\]|\[\?\(@\.([\w.-]+)\s*==\s*["']([^"']*)["']\)\]/g)) {
    const [whole, name, quoted, index, filterKey, filterValue] = step;
    const key = name ?? quoted;
    const next: unknown[] = [];
    for (const value of values) {
      if (key !== undefined) {
        const child = typeof value === 'object' && value !== null ? (value as Map)[key] : undefined;
        if (child !== undefined) next.push(child);
      } else if (Array.isArray(value)) {
        if (index !== undefined) next.push(value[Number(index)]);
        else if (whole === '[*]') next.push(...value);
        else next.push(...value.filter((item) => String((item as Map | null)?.[filterKey ?? ''] ?? '') === filterValue));
      }
    }
    values = next;
  }
  return values[0];
}
