/**
 * Opens the report as a reader does: from file://, in a real Chromium, without a network. It takes the machine's own `chromium`, or the one
 * that @sparticuz/chromium brings (which needs libnss3: `apt-get install -y libnss3`), and skips aloud when neither starts.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ReportDocument } from './document.ts';
import { exampleFailure } from './example-document.fixture.ts';
import { exampleHarnessError, exampleInconclusive, examplePass } from './example-pass-document.fixture.ts';
import { renderHtmlReport } from './html.ts';

const SYSTEM_CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } };

async function launch(): Promise<Browser | string> {
  try {
    const own = SYSTEM_CHROMIUM.find((path) => existsSync(path));
    if (own !== undefined) return await chromium.launch({ executablePath: own, args: ['--no-sandbox'] });
    const { default: packaged } = await import('@sparticuz/chromium');
    // Its arguments are made for a serverless host: one process and no zygote make it unstable elsewhere.
    const args = packaged.args.filter((argument) => argument !== '--single-process' && argument !== '--no-zygote');
    return await chromium.launch({ executablePath: await packaged.executablePath(), args });
  } catch (error) {
    return error instanceof Error
      ? (error.message.split('\n').find((line) => line.includes('error while loading')) ?? error.message.split('\n')[0] ?? '')
      : String(error);
  }
}

const browser = await launch();
// biome-ignore lint/suspicious/noConsole: a test that is skipped says so
if (typeof browser === 'string') console.warn(`SKIPPED: the report was not opened in a browser, no Chromium starts here: ${browser}`);

describe.skipIf(typeof browser === 'string')('the HTML report in a browser', () => {
  const folder = mkdtempSync(join(tmpdir(), 'seatrial-report-'));
  const problems: string[] = [];

  beforeAll(() => {
    problems.length = 0;
  });
  afterAll(async () => {
    if (typeof browser !== 'string') await browser.close();
    rmSync(folder, { recursive: true });
  });

  async function open(
    name: string,
    document: ReportDocument,
    options: { size?: keyof typeof SIZES; dark?: boolean; hash?: string } = {},
  ): Promise<Page> {
    if (typeof browser === 'string') throw new Error(browser);
    const file = join(folder, `${name}.html`);
    writeFileSync(file, renderHtmlReport(document));
    const context = await browser.newContext({
      viewport: SIZES[options.size ?? 'wide'],
      colorScheme: options.dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
    });
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith('file:') && !request.url().startsWith('data:')) problems.push(`asked the network for ${request.url()}`);
    });
    await page.goto(`${pathToFileURL(file).href}${options.hash ?? ''}`);
    await page.waitForSelector('#title-verdict');
    return page;
  }

  const selected = (page: Page) => page.locator('.insp .ih span').first().innerText();
  const cursor = (page: Page) => page.locator('.tnow b').innerText();

  it('opens at the violation, and every key does what the help says', async () => {
    const page = await open('fail', exampleFailure);
    expect(await page.title()).toContain('FAIL · split-brain-read-only · t-7f3a');
    expect(await selected(page)).toBe('Event e17, step 5');
    await page.keyboard.press('j');
    expect(await selected(page)).toBe('Event e18');
    await page.keyboard.press('k');
    await page.keyboard.press('k');
    expect(await selected(page)).toBe('Event e16');
    await page.keyboard.press('[');
    expect(await selected(page)).toBe('Event e10, step 4');
    await page.keyboard.press(']');
    expect(await selected(page)).toBe('Event e24');
    await page.keyboard.press('v');
    expect(await selected(page)).toBe('Event e17, step 5');
    await page.keyboard.press('c');
    expect(await selected(page)).toBe('Event e1, step 1');
    await page.keyboard.press('v');
    await page.keyboard.press('ArrowRight');
    expect(Number(await cursor(page))).toBeGreaterThan(12.48);
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('p');
    expect(await page.locator('.dia svg.iso').count()).toBe(1);
    await page.keyboard.press('p');
    await page.keyboard.press('/');
    await page.keyboard.type('kind:lost node:etcd-2');
    expect(await page.getByRole('status').first().innerText()).toBe('4 of 29 events');
    await page.keyboard.press('Escape');
    expect(await page.locator('#filter').inputValue()).toBe('');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog[open]', { state: 'hidden' });
    expect(problems).toEqual([]);
    await page.context().close();
  }, 60_000);

  it('keeps its state in the address', async () => {
    const page = await open('fail', exampleFailure, { hash: '#t=16.035&sel=e27&q=node:etcd-0&all=1' });
    expect(await selected(page)).toBe('Event e27, step 7');
    expect(await page.locator('#filter').inputValue()).toBe('node:etcd-0');
    expect(await page.locator('path.background').count()).toBeGreaterThan(0);
    await page.keyboard.press('k');
    await page.waitForFunction(`location.hash.includes('q=node:etcd-0') && !location.hash.includes('sel=e27')`);
    await page.reload();
    await page.waitForSelector('#title-verdict');
    expect(await selected(page)).not.toBe('Event e27, step 7');
    expect(problems).toEqual([]);
    await page.context().close();
  }, 60_000);

  it('draws bands over exactly the affected lanes, losses as ✕, and no label over another', async () => {
    const page = await open('fail', exampleFailure);
    // F1 and F3 cover one lane each; api-2 and etcd-2 are neighbours, so F2 is one band. Three parts each.
    expect(await page.locator('.dia rect[fill="url(#hatch-band)"]').count()).toBe(3);
    expect(await page.locator('.dia .ev .x').count()).toBe(5);
    expect(await overlappingLabels(page)).toEqual([]);
    await page.getByRole('button', { name: 'By host' }).click();
    expect(await overlappingLabels(page)).toEqual([]);
    await page.context().close();
  }, 60_000);

  it('shows what it is given as text, never as markup', async () => {
    const evil = '</script><img src=x onerror="document.title=1"><b>';
    const { verdict, lanes, events } = exampleFailure;
    const page = await open('evil', {
      ...exampleFailure,
      verdict: { ...verdict, sentence: evil, property: evil, scenario: evil },
      lanes: lanes.map((lane) => ({ ...lane, role: evil })),
      events: events.map((event) => ({ ...event, title: evil, label: event.label && evil, detail: [[evil, evil] as const] })),
    });
    expect(await page.locator('#title-verdict').innerText()).toBe(evil);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.title()).toContain(evil);
    expect(problems).toEqual([]);
    await page.context().close();
  }, 60_000);

  it('tells the four verdicts apart without colour', async () => {
    const stamps: string[] = [];
    for (const [name, document] of Object.entries({ pass: examplePass, inconclusive: exampleInconclusive, harness: exampleHarnessError })) {
      const page = await open(name, document);
      stamps.push(await page.locator('.stamp b').innerText());
      expect(await violationsOf(page)).toEqual([]);
      await page.context().close();
    }
    expect(stamps).toEqual(['PASS', 'INCONCLUSIVE', 'HARNESS ERROR']);
    expect(problems).toEqual([]);
  }, 90_000);

  for (const size of Object.keys(SIZES) as (keyof typeof SIZES)[]) {
    for (const dark of [false, true]) {
      it(`has no axe violation, ${dark ? 'dark' : 'light'}, ${SIZES[size].width} px`, async () => {
        const page = await open('fail', exampleFailure, { size, dark });
        await page.locator('#diagram summary').click();
        expect(await violationsOf(page)).toEqual([]);
        expect(Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))).toBeLessThanOrEqual(0);
        expect(problems).toEqual([]);
        await page.context().close();
      }, 60_000);
    }
  }
});

async function violationsOf(page: Page): Promise<readonly string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

interface LabelBox {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pairs of the diagram's labels that cover each other by more than a hair: a text's box has room for accents, which none has. */
async function overlappingLabels(page: Page): Promise<readonly string[]> {
  const boxes: readonly LabelBox[] = await page.evaluate(`[...document.querySelectorAll('.dia .labels text')].map((text) => {
    const { x, y, width, height } = text.getBBox();
    return { name: text.textContent, x, y, width, height };
  })`);
  return boxes.flatMap((a, index) =>
    boxes.slice(index + 1).flatMap((b) => {
      const x = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
      const y = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
      return x > 1.5 && y > 2.5 ? [`${a.name} | ${b.name}`] : [];
    }),
  );
}
