import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { GITHUB_TOKEN, startGithub } from '../../../test/harness/github-double.ts';
import { type GitHistory, gitHistory } from '../../../test/harness/github-git.ts';
import { repositoryOf } from '../../../test/harness/github-scene.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { exportsConfig } from '../../config/exports.ts';
import { proposeCases } from '../eval-case.ts';
import type { ExportDocument } from './exporter.ts';
import { githubIssues } from './github-issues.ts';
import { githubPullRequest } from './github-pull-request.ts';
import { githubText } from './github-text.ts';

const BRANCH = 'llm-incident/inc-12-inst';
const PATH = 'postmortems/INC-12/postmortem.md';
const cases = proposeCases({
  incidentId: 'INC-12',
  bad: [{ callId: '1', input: 'a', output: 'no' }],
  good: [{ callId: '9', input: 'a', output: 'yes' }],
});
const documentOf = (markdown: string, change: Partial<ExportDocument> = {}): ExportDocument => ({
  ...{ incident: 'INC-12', title: 'Answers are wrong', service: 'Support Answers' },
  declaredAt: new Date('2026-03-04T05:06:07Z'),
  cases,
  files: [
    { name: 'postmortem.md', text: markdown },
    { name: 'evals.yaml', text: 'tests: []\n' },
    { name: 'evals.jsonl', text: '{}\n' },
  ],
  ...{ pictures: [], actions: [] },
  ...change,
});

let git: GitHistory;
let double: VendorDouble;
const configOf = (change: object = {}) =>
  exportsConfig.parse({
    github: {
      ...{ url: double.url, token: GITHUB_TOKEN, repository: 'acme/prompts', allow_private: true },
      ...change,
    },
  }).github ?? expect.fail('no config');
const pullRequest = (change: object = {}) => githubPullRequest(configOf(change), { installation: 'inst' });
const textAt = (path: string, branch = BRANCH) => git.read(branch, path)?.toString('utf8');

beforeEach(async () => {
  git = gitHistory({ 'README.md': 'Prompts\n' });
  double = await startGithub(repositoryOf({ git }));
});
afterEach(() => double.close());

describe('a pull request for each incident', () => {
  test('holds the document and the cases, and is brought up to date by a commit, or by none', async () => {
    const first = await pullRequest().export(documentOf('# One\n'));
    expect(first).toEqual({
      ...{ outcome: 'exported', text: 'pull request #1' },
      url: 'https://github.test/acme/prompts/pull/1',
    });
    expect(git.paths(BRANCH)).toEqual(['README.md', 'evals/INC-12.jsonl', 'evals/INC-12.yaml', PATH]);
    expect(git.pulls[0]).toMatchObject({ title: 'Post-mortem of INC-12: Answers are wrong', base: 'main' });
    const sent = double.changes().length;
    expect(await pullRequest().export(documentOf('# One\n'))).toMatchObject({ outcome: 'unchanged' });
    expect(double.changes()).toHaveLength(sent);
    const again = await pullRequest().export(documentOf('# Two\n'));
    expect(again).toMatchObject({ outcome: 'exported', text: 'updated pull request #1' });
    expect(textAt(PATH)).toBe('# Two\n');
    expect(git.log(BRANCH)).toHaveLength(3);
    expect(git.pulls).toHaveLength(1);
    const dropped = { cases: [], files: [{ name: 'postmortem.md', text: '# Two\n' }] };
    await pullRequest().export(documentOf('', dropped));
    expect(git.paths(BRANCH)).toEqual(['README.md', PATH]);
    expect(git.paths('main')).toEqual(['README.md']);
  });

  test('goes on after a crash between any two steps, without doing one twice', async () => {
    const steps = ['blobs', 'blobs', 'blobs', 'trees', 'commits', 'refs', 'pulls'];
    for (const [index] of steps.entries()) {
      git = gitHistory({ 'README.md': 'Prompts\n' });
      await double.close();
      double = await startGithub(repositoryOf({ git }));
      for (let i = 0; i < index; i += 1) double.next('change', { kind: 'none' });
      double.next('change', { kind: 'answer', reply: { status: 502 } });
      const failed = pullRequest().export(documentOf('# One\n'));
      await expect(failed).rejects.toMatchObject({ retryable: true });
      await pullRequest().export(documentOf('# One\n'));
      expect([git.pulls.length, git.log(BRANCH).length]).toEqual([1, 2]);
    }
  });

  test('leaves alone what a person changed on the branch, or closed, and says so', async () => {
    await pullRequest().export(documentOf('# One\n'));
    git.commitBy(BRANCH, { 'notes.md': 'mine\n' }, 'Notes of mine');
    expect(await pullRequest().export(documentOf('# Two\n'))).toMatchObject({ outcome: 'exported' });
    expect(textAt('notes.md')).toBe('mine\n');
    git.commitBy(BRANCH, { [PATH]: '# Mine\n' }, 'Wording');
    const sent = double.changes().length;
    const left = await pullRequest().export(documentOf('# Three\n'));
    expect(left).toMatchObject({ outcome: 'left', url: 'https://github.test/acme/prompts/pull/1' });
    expect(left.text).toBe(`somebody changed ${PATH} on the branch ${BRANCH}, so nothing was sent to it`);
    git.commitBy(BRANCH, { [PATH]: null }, 'Away with it');
    expect(await pullRequest().export(documentOf('# Three\n'))).toMatchObject({ outcome: 'left' });
    Object.assign(git.pulls[0] ?? {}, { state: 'closed' });
    expect((await pullRequest().export(documentOf('# Three\n'))).text).toContain('#1 was closed');
    expect(double.changes()).toHaveLength(sent);
  });

  test('is followed by another when it was merged and the document changed since', async () => {
    await pullRequest().export(documentOf('# One\n'));
    git.merge(1);
    expect(await pullRequest().export(documentOf('# One\n'))).toMatchObject({ outcome: 'unchanged' });
    expect(await pullRequest().export(documentOf('# Two\n'))).toMatchObject({ text: 'pull request #2' });
    expect(textAt(PATH, `${BRANCH}-2`)).toBe('# Two\n');
  });

  test('that loses a race says so to be asked again, and forces nothing', async () => {
    await pullRequest().export(documentOf('# One\n'));
    for (let i = 0; i < 3; i += 1) double.next('change', { kind: 'none' });
    const stale = { message: 'Update is not a fast forward' };
    double.next('change', { kind: 'answer', reply: { status: 422, body: stale } });
    const failed = pullRequest().export(documentOf('# Two\n'));
    await expect(failed).rejects.toMatchObject({ code: '422', retryable: true });
    const forced = double.changes().map(({ body }) => (body as { force?: boolean }).force);
    expect(forced).not.toContain(true);
  });

  test('holds the charts, and the files of the room only where the configuration says so', async () => {
    const chart = { path: 'INC-12-metric.png', read: async () => Buffer.from([1, 2, 3]) };
    const shot = { path: 'files/F1-shot.png', read: async () => Buffer.from([4, 5]) };
    const text =
      '![chart](INC-12-metric.png)\n\n[s\\]hot](files/F1-shot.png)\n\n![s\\]hot](files/F1-shot.png)\n';
    const document = documentOf(text, { pictures: [chart, shot] });
    await pullRequest().export(document);
    expect(git.read(BRANCH, 'postmortems/INC-12/INC-12-metric.png')).toEqual(await chart.read());
    expect(textAt(PATH)).toBe(
      '![chart](INC-12-metric.png)\n\ns\\]hot (kept with the incident)\n\n(The picture is kept with the incident.)\n',
    );
    expect(git.paths(BRANCH).filter((path) => path.includes('files/'))).toEqual([]);
    await pullRequest({ room_files: true }).export(document);
    expect(git.read(BRANCH, 'postmortems/INC-12/files/F1-shot.png')).toEqual(await shot.read());
    expect(textAt(PATH)).toBe(text);
  });

  test('stands where the templates say', async () => {
    const paths = { postmortem_path: '{year}/{service}/{incident}.md', evals_path: '{date}-{incident}.yml' };
    await pullRequest(paths).export(documentOf('# One\n'));
    const made = ['2026-03-04-INC-12.jsonl', '2026-03-04-INC-12.yml', '2026/support-answers/INC-12.md'];
    expect(git.paths(BRANCH)).toEqual([...made, 'README.md']);
    for (const wrong of [
      'a.md',
      '/{incident}.md',
      '../{incident}.md',
      '{incident}/{who}.md',
      '{incident}.txt',
    ])
      expect(() => configOf({ postmortem_path: wrong })).toThrow();
  });
});

test('a wrong token, a missing branch and a rate limit are told apart', async () => {
  const refused = pullRequest({ token: 'other' }).export(documentOf('# One\n'));
  await expect(refused).rejects.toMatchObject({ code: '401', retryable: false });
  const nowhere = pullRequest({ branch: 'trunk' }).export(documentOf('# One\n'));
  await expect(nowhere).rejects.toThrow('there is no branch trunk');
  const limited = { 'x-ratelimit-remaining': '0', 'retry-after': '30' };
  double.next('change', { kind: 'answer', reply: { status: 403, headers: limited } });
  const waiting = pullRequest().export(documentOf('# One\n'));
  await expect(waiting).rejects.toMatchObject({ retryable: true, retryAfterMs: 30_000 });
});

describe('an issue for each action item', () => {
  const action = {
    ...{ id: 34, text: 'Pin the model @everyone, fixes #7', owner: 'U0LEAD01', ownerName: '@lead' },
    dueAt: new Date('2026-04-01T00:00:00Z'),
  };
  const issues = (change: object = {}) =>
    githubIssues(configOf({ issues: true, ...change }), { installation: 'inst' });

  test('is opened once, also after an answer that was lost', async () => {
    const document = documentOf('', { actions: [action, { ...action, id: 35, owner: null, dueAt: null }] });
    double.next('change', { kind: 'none' });
    double.next('change', { kind: 'answer', reply: { status: 500 } });
    await expect(issues().export(document)).rejects.toMatchObject({ retryable: true });
    const receipt = await issues().export(document);
    expect(receipt).toMatchObject({ outcome: 'exported', text: '1 action item as GitHub issues' });
    expect(receipt.links?.map(({ action: id, label }) => [id, label])).toEqual([
      [34, '#1'],
      [35, '#2'],
    ]);
    expect(await issues().export(document)).toMatchObject({ outcome: 'unchanged' });
    expect(git.issues).toHaveLength(2);
    expect(git.issues[0]?.body).toContain('Owner: @<!-- -->lead. Due: 2026-04-01.');
    expect(git.issues[0]?.body).toMatch(/^Pin the model @<!-- -->everyone, fixes #<!-- -->7\n/);
  });

  test('is assigned by the table, or to nobody where GitHub refuses', async () => {
    git.members.push('octo');
    const assignees = { U0LEAD01: 'octo', U0OTHER1: 'stranger' };
    const other = { ...action, id: 36, owner: 'U0OTHER1' };
    const document = documentOf('', { actions: [action, other] });
    await issues({ assignees, labels: ['incident'] }).export(document);
    expect(git.issues.map(({ assignees: who, labels }) => [who, labels])).toEqual([
      [['octo'], ['incident']],
      [[], ['incident']],
    ]);
  });
});

test('outside text brings no link, mention, picture or HTML into a body', () => {
  expect(githubText('![x](https://a.example/y) <img src=x> **b** - GH-7\n# h')).toBe(
    '\\!\\[x\\](https:<!-- -->//a.example/y) \\<img src=x\\> \\*\\*b\\*\\* - GH-<!-- -->7\n\\# h',
  );
});
