import { afterEach, describe, expect, test } from 'vitest';
import { startGithub } from '../../../test/harness/github-double.ts';
import { targetAt as githubAt, repositoryOf } from '../../../test/harness/github-scene.ts';
import {
  type DoublePrompt,
  LANGFUSE_KEYS,
  startLangfusePrompts,
} from '../../../test/harness/langfuse-prompts-double.ts';
import {
  auditEntry,
  LAUNCHDARKLY_TOKEN,
  startLaunchDarkly,
} from '../../../test/harness/launchdarkly-double.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { vendorTargetConfig } from '../../config/targets.ts';
import type { Target } from '../target.ts';
import { targetOf } from './all-targets.ts';

const minute = (count: number) => new Date(Date.UTC(2026, 0, 5, 10, count));
const SINCE = minute(0);

let double: VendorDouble;
afterEach(() => double.close());

function targetAt(config: object): Target {
  const builtIn = () => {
    throw new Error('no built-in target here');
  };
  const read = vendorTargetConfig.parse({ url: double.url, allow_private: true, ...config });
  return targetOf(read, { service: 'answers', environment: 'production', builtIn });
}

describe('who changed what, by the vendor’s own record', () => {
  test('launchdarkly-tells-by-its-audit-log', async () => {
    const flag = { key: 'answers', variations: [], environments: {} };
    const at = (count: number) => minute(count).getTime();
    double = await startLaunchDarkly(
      [flag],
      [
        auditEntry('production answers', at(5), { member: { email: 'ops@shop.example' } as never }),
        auditEntry('production answers', at(7), {
          token: { name: 'pipeline' } as never,
          titleVerb: 'updated',
        }),
        auditEntry('test answers', at(8)),
        auditEntry('production other', at(9)),
        auditEntry('production answers', at(-9)),
      ],
    );
    const target = targetAt({
      ...{ type: 'launchdarkly', token: LAUNCHDARKLY_TOKEN, project: 'shop', flag: 'answers' },
    });
    expect(await target.changes?.(SINCE)).toEqual([
      { setting: 'enabled', at: minute(7), by: 'pipeline', what: 'updated' },
      { setting: 'enabled', at: minute(5), by: 'ops@shop.example', what: 'turned off the flag' },
    ]);
  });

  test('langfuse-names-the-maker-of-a-new-version-and-nobody-for-the-move-of-a-label', async () => {
    const stored: Pick<DoublePrompt, 'type' | 'prompt' | 'config' | 'tags'> = {
      ...{ type: 'text', prompt: 'p', config: {}, tags: [] },
    };
    const made = { createdAt: minute(4).toISOString(), updatedAt: minute(6).toISOString() };
    const old = { createdAt: minute(-90).toISOString(), updatedAt: minute(7).toISOString() };
    const prompts = [
      { ...stored, ...made, name: 'answer', version: 14, labels: ['production'], createdBy: 'alice' },
      { ...stored, ...old, name: 'refund', version: 2, labels: ['production'], createdBy: 'bob' },
      { ...stored, ...made, name: 'by-key', version: 1, labels: ['production'], createdBy: 'API' },
      { ...stored, name: 'bare', version: 1, labels: ['production'] },
    ];
    double = await startLangfusePrompts(prompts);
    const names = ['answer', 'refund', 'by-key', 'bare', 'absent'];
    const target = targetAt({ type: 'langfuse', ...LANGFUSE_KEYS, prompts: names });
    expect(await target.changes?.(SINCE)).toEqual([
      { setting: 'prompt:refund', at: minute(7), by: null, what: 'label production on version 2' },
      { setting: 'prompt:answer', at: minute(6), by: 'alice', what: 'label production on version 14' },
      { setting: 'prompt:by-key', at: minute(6), by: null, what: 'label production on version 1' },
    ]);
    expect(await target.changes?.(minute(6))).toHaveLength(1);
  });

  test('github-tells-by-the-commits-to-a-file-and-when-a-variable-changed', async () => {
    const commit = (path: string, count: number, login: string | null) => ({
      path,
      sha: `${count}`.padStart(7, '0').padEnd(40, 'f'),
      author: login === null ? null : { login },
      commit: {
        message: 'm',
        author: { name: 'A. Committer' },
        committer: { date: minute(count).toISOString() },
      },
    });
    const pin = 'prompts/pin file.txt';
    double = await startGithub(
      repositoryOf({
        commits: [
          commit(pin, 9, 'alice'),
          commit(pin, 3, null),
          commit('other', 4, 'bob'),
          commit(pin, -5, 'x'),
        ],
        variablesChangedAt: minute(2).toISOString(),
      }),
    );
    const found = (await githubAt(double.url).changes?.(SINCE)) ?? [];
    expect(found.filter(({ setting }) => setting === 'prompt:pin')).toEqual([
      { setting: 'prompt:pin', at: minute(9), by: 'alice', what: `commit 0000009 to ${pin}` },
      { setting: 'prompt:pin', at: minute(3), by: 'A. Committer', what: `commit 0000003 to ${pin}` },
    ]);
    expect(found.filter(({ setting }) => setting === 'enabled')).toEqual([
      { setting: 'enabled', at: minute(2), by: null, what: 'variable AI_ENABLED' },
    ]);
  });
});
