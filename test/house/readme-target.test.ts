import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { webhookTarget } from '../../src/mitigation/targets/webhook.ts';

const SECRET = 'shared-secret';
const PORT = 9_471;

/** The target that the README shows, as it is printed there but for its port. */
function targetInReadme(): string {
  const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
  const code = /```js\n([\s\S]+?)```/.exec(readme)?.[1] ?? '';
  return code.replace('listen(9000', `listen(${PORT}`);
}

describe('the target that the README shows', () => {
  const dir = mkdtempSync(join(tmpdir(), 'readme-target-'));
  let server: ChildProcess;
  const target = webhookTarget(
    { type: 'webhook', url: `http://127.0.0.1:${PORT}/`, secret: SECRET, allow_private: true },
    { service: 'support-answers', environment: 'production' },
  );
  const run = { planHash: 'a'.repeat(64), idempotencyKey: 'mitigation-1-0' };

  beforeAll(async () => {
    writeFileSync(join(dir, 'target.mjs'), targetInReadme());
    server = spawn(process.execPath, [join(dir, 'target.mjs')], {
      env: { ...process.env, SUPPORT_ANSWERS_SECRET: SECRET },
      stdio: 'inherit',
    });
    await vi.waitUntil(() => target.read().catch(() => false), { timeout: 10_000 });
  });
  afterAll(() => {
    server.kill();
    rmSync(dir, { recursive: true, force: true });
  });

  it('says-what-it-serves', async () => {
    expect(await target.read()).toEqual({ prompt: 'v14', model: 'gpt-4', enabled: true });
  });

  it('makes-every-change-that-the-bot-asks-for', async () => {
    await target.apply({ setting: 'prompt:answer', from: 'v14', to: 'v13' }, run);
    await target.apply({ setting: 'enabled', from: true, to: false }, { ...run, idempotencyKey: 'b' });
    expect(await target.read()).toEqual({ prompt: 'v13', model: 'gpt-4', enabled: false });
  });

  it('has-one-effect-for-one-key', async () => {
    await target.apply({ setting: 'prompt:answer', from: 'v13', to: 'v12' }, run);
    expect(await target.read()).toMatchObject({ prompt: 'v13' });
  });

  it('refuses-another-secret', async () => {
    const stranger = webhookTarget(
      { type: 'webhook', url: `http://127.0.0.1:${PORT}/`, secret: 'guessed', allow_private: true },
      { service: 'support-answers', environment: 'production' },
    );
    await expect(stranger.read()).rejects.toMatchObject({
      name: 'ExternalError',
      code: '401',
      retryable: false,
    });
  });
});
