import { execFile } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AppsManifestValidateArguments, WebClient } from '@slack/web-api';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type Kind, readManifest, SCOPES_OF_METHOD } from '../../src/demo/slack/slack-scopes.ts';

type Manifest = AppsManifestValidateArguments['manifest'];
type Scope = NonNullable<NonNullable<NonNullable<Manifest['oauth_config']>['scopes']>['bot']>[number];

const ROOT = join(import.meta.dirname, '../..');
const text = readFileSync(join(ROOT, 'manifest.yml'), 'utf8');
const manifest = parse(text) as Manifest;
const scopes = manifest.oauth_config?.scopes?.bot ?? [];
const events = manifest.settings?.event_subscriptions?.bot_events ?? [];

/** Rooms are public or private; these methods are called about direct messages as well, or about them alone. */
const ROOMS: readonly Kind[] = ['channel', 'group'];
const KINDS_OF_METHOD: Record<string, readonly Kind[]> = {
  // A direct message whose answer was lost is looked for before it is posted again.
  'conversations.history': [...ROOMS, 'im'],
  'conversations.replies': [...ROOMS, 'im'],
  'conversations.open': ['im'],
};
/** What a call returns is not whole without these: messages come without their files, people without their address. */
const SCOPES_OF_ANSWERS: Record<string, Scope[]> = {
  'conversations.history': ['files:read'],
  'conversations.replies': ['files:read'],
  'users.info': ['users:read.email'],
};

/** The workspace of the tests refuses by the same table. */
function scopesOf(method: string): string[] {
  const needed = SCOPES_OF_METHOD[method] ?? [];
  const own =
    typeof needed === 'string'
      ? [needed]
      : Array.isArray(needed)
        ? []
        : (KINDS_OF_METHOD[method] ?? ROOMS).map((kind) => needed[kind]);
  return [...own, ...(SCOPES_OF_ANSWERS[method] ?? [])];
}

const SCOPES_OF_EVENT: Partial<Record<(typeof events)[number], Scope[]>> = {
  app_home_opened: [],
  app_mention: ['app_mentions:read'],
  'message.channels': ['channels:history'],
  'message.groups': ['groups:history'],
  member_joined_channel: ['channels:read', 'groups:read'],
  member_left_channel: ['channels:read', 'groups:read'],
  reaction_added: ['reactions:read'],
  reaction_removed: ['reactions:read'],
};

/** The shipped code, without the demo, which plays Slack's side. */
const sources = globSync('src/**/*.ts', { cwd: ROOT })
  .filter((file) => !file.startsWith('src/demo/') && !file.endsWith('.test.ts'))
  .map((file) => readFileSync(join(ROOT, file), 'utf8'));

function matchesIn(texts: string[], ...patterns: RegExp[]): string[] {
  const found = texts.flatMap((source) =>
    patterns.flatMap((pattern) => [...source.matchAll(pattern)].map(([, name = '']) => name)),
  );
  return [...new Set(found)].sort();
}

/** The methods behind the client's own `filesUploadV2`. */
const UPLOAD = ['files.getUploadURLExternal', 'files.completeUploadExternal'];

/** `.chat.postMessage(` and `'chat.postMessage'` alike; what the client has no such method for is something else. */
function methodsCalled(): string[] {
  const client = new WebClient();
  const isMethod = (name: string) =>
    typeof name
      .split('.')
      .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], client) ===
    'function';
  const called = matchesIn(
    sources,
    /\.([a-z]+(?:\.[a-zA-Z]+){1,3})\(/g,
    /['"]([a-z]+(?:\.[a-zA-Z]+){1,3})['"]/g,
  );
  const upload = sources.some((source) => source.includes('.filesUploadV2(')) ? UPLOAD : [];
  return [...new Set([...called.flatMap(withoutReceiver).filter(isMethod), ...upload])].sort();
}

/** `client.chat.postMessage` is found as `client.chat.postMessage`, with one to three parts before the method. */
function withoutReceiver(name: string): string[] {
  const parts = name.split('.');
  return parts.map((_, start) => parts.slice(start).join('.')).filter((rest) => rest.includes('.'));
}

/** Compiles `content satisfies Manifest` with the project's own compiler; its complaints, or an empty text. */
function compile(content: unknown): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'llm-incident-manifest-'));
  symlinkSync(join(ROOT, 'node_modules'), join(dir, 'node_modules'));
  writeFileSync(join(dir, 'package.json'), '{"type": "module"}');
  const options = {
    target: 'es2024',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
  };
  writeFileSync(
    join(dir, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: options, files: ['manifest.ts'] }),
  );
  writeFileSync(
    join(dir, 'manifest.ts'),
    `import type { AppsManifestValidateArguments } from '@slack/web-api';
export default ${JSON.stringify(content, null, 2)} satisfies AppsManifestValidateArguments['manifest'];\n`,
  );
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', dir],
      (error, stdout, stderr) => {
        rmSync(dir, { recursive: true, force: true });
        resolve(error === null ? '' : `${stdout}${stderr}${error.message}`);
      },
    );
  });
}

describe('manifest.yml', () => {
  test('is-a-manifest-by-the-types-of-slack', async () => {
    expect(await compile(manifest)).toBe('');
  });

  test('a-misspelled-scope-event-or-setting-does-not-compile', async () => {
    expect(await compile(parse(text.replace('- chat:write ', '- chat:wright ')))).toContain('chat:wright');
    expect(await compile(parse(text.replace('- message.groups', '- message.group')))).toContain(
      'message.group',
    );
    expect(await compile(parse(text.replace('should_escape', 'should_escpae')))).toContain('should_escpae');
  });

  test('stays-within-the-limits-of-slack', () => {
    expect(manifest.display_information.name.length).toBeLessThanOrEqual(35);
    expect(manifest.display_information.description?.length).toBeLessThanOrEqual(140);
    for (const { command, usage_hint: hint = '' } of manifest.features?.slash_commands ?? []) {
      expect(command).toMatch(/^\/\S{1,31}$/);
      expect(hint.length).toBeLessThanOrEqual(1000);
    }
  });

  test('every-address-ends-in-the-route-of-the-bot', () => {
    const addresses = [...text.matchAll(/^\s*(?:request_)?url: (\S+)/gm)].map(
      ([, url = '']) => new URL(url).pathname,
    );
    expect(addresses).toEqual(['/slack/events', '/slack/events', '/slack/events']);
  });

  test('every-method-that-is-called-has-its-scopes', () => {
    const called = methodsCalled();
    expect(called).toContain('chat.postMessage');
    expect(
      called.filter((method) => SCOPES_OF_METHOD[method] === undefined),
      'add them to the table',
    ).toEqual([]);
    const declared: readonly string[] = scopes;
    const missing = called.filter((method) => scopesOf(method).some((scope) => !declared.includes(scope)));
    expect(missing).toEqual([]);
  });

  test('every-scope-is-needed-by-something', () => {
    const needed = new Set<string>([
      'commands',
      ...methodsCalled().flatMap(scopesOf),
      ...events.flatMap((event) => SCOPES_OF_EVENT[event] ?? []),
    ]);
    expect(scopes.filter((scope) => !needed.has(scope))).toEqual([]);
  });

  test('the-workspace-of-tests-and-demo-grants-and-sends-what-is-declared-and-no-more', () => {
    expect(readManifest()).toEqual({ scopes, events });
  });

  test('every-event-has-its-scopes', () => {
    const missing = events.filter(
      (event) => SCOPES_OF_EVENT[event]?.some((scope) => !scopes.includes(scope)) ?? true,
    );
    expect(missing).toEqual([]);
  });

  test('commands-events-and-shortcuts-are-the-ones-that-the-code-listens-to', () => {
    expect(manifest.features?.slash_commands?.map(({ command }) => command).sort()).toEqual(
      matchesIn(sources, /\.command\(\s*['"](\/[\w-]+)['"]/g),
    );
    expect((manifest.features?.shortcuts ?? []).map((shortcut) => shortcut.callback_id).sort()).toEqual(
      matchesIn(sources, /\.shortcut\(\s*(?:\{\s*callback_id:\s*)?['"]([\w-]+)['"]/g),
    );
    // Bolt hears message.channels and message.groups both as "message".
    const heard = matchesIn(sources, /\.event\(\s*['"]([\w.]+)['"]/g, /\bapp\.(message)\(/g);
    expect([...new Set(events.map((event) => event.split('.')[0]))].sort()).toEqual(heard);
  });
});
