/**
 * Go's RE2 syntax as JavaScript writes it, where the two differ: flags in the middle (`(?i)`, to the end of the group) become a group of
 * their own, named groups, and the anchors of the whole text.
 * @throws SyntaxError where the pattern is none
 */
export function goRegExp(pattern: string): RegExp {
  let out = '';
  let inClass = false;
  /** Per open group how many flag groups were opened in it. */
  const opened: number[] = [0];
  for (let at = 0; at < pattern.length; at++) {
    const c = pattern.charAt(at);
    if (c === '\\') {
      const escaped = pattern.charAt(++at);
      out += !inClass && escaped === 'A' ? '^' : !inClass && escaped === 'z' ? '$' : c + escaped;
      continue;
    }
    if (inClass) {
      if (c === ']') inClass = false;
      out += c;
      continue;
    }
    if (c === '[') {
      inClass = true;
      // A bracket at the beginning of a class stands for itself.
      const first = /^\[\^?\]/.exec(pattern.slice(at))?.[0];
      out += first === undefined ? c : `${first.slice(0, -1)}\\]`;
      at += (first?.length ?? 1) - 1;
      continue;
    }
    if (c === '(') {
      const flags = /^\(\?([ims]+)\)/.exec(pattern.slice(at));
      if (flags !== null) {
        out += `(?${flags[1]}:`;
        opened[opened.length - 1] = (opened.at(-1) ?? 0) + 1;
        at += flags[0].length - 1;
        continue;
      }
      opened.push(0);
      if (pattern.startsWith('(?P<', at)) {
        out += '(?<';
        at += 3;
      } else out += c;
      continue;
    }
    if (c === ')') out += ')'.repeat(opened.length > 1 ? (opened.pop() ?? 0) : 0);
    out += c;
  }
  return new RegExp(out + ')'.repeat(opened[0] ?? 0));
}
