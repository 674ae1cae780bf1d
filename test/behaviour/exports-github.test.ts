import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { GITHUB_TOKEN, startGithub } from '../harness/github-double.ts';
import { type GitHistory, gitHistory } from '../harness/github-git.ts';
import { repositoryOf } from '../harness/github-scene.ts';
import { ask, declareIncident, type Opened, textsOf } from '../harness/people.ts';
import type { VendorDouble } from '../harness/vendor-double.ts';

/** From the command to what stands at GitHub, on a busy machine. */
const LONG_MS = 30_000;

describe('post-mortems and action items at GitHub', { timeout: 120_000 }, () => {
  let world: World;
  let github: VendorDouble;
  let incident: Opened;
  const git: GitHistory = gitHistory({ 'README.md': 'Incidents\n' });
  const BRANCH = /^llm-incident\/inc-\d+-\w+$/;

  beforeAll(async () => {
    github = await startGithub(repositoryOf({ git }));
    git.members.push('octo');
    world = await startConfigured(
      (config, { slack }) => {
        const repository = { repository: 'acme/prompts', token: '${GH_TOKEN}' };
        const assignees = { [slack.userId('lead')]: 'octo' };
        const place = { url: github.url, allow_private: true };
        config['exports'] = { github: { ...repository, ...place, issues: true, assignees } };
      },
      { env: { GH_TOKEN: GITHUB_TOKEN }, pagerduty: false },
    );
  });
  afterAll(async () => {
    await world.close();
    await github.close();
  });

  const pathOf = ({ id }: Opened) => `postmortems/INC-${id}/postmortem.md`;
  const branchOf = ({ id }: Opened) =>
    git.branches().find((name) => BRANCH.test(name) && name.includes(`/inc-${id}-`)) ?? '';
  const kept = (about: Opened) => git.read(branchOf(about), pathOf(about))?.toString('utf8') ?? '';
  const onDisk = ({ id }: Opened) =>
    readFileSync(join(world.env['DATA_DIR'] as string, 'documents', `INC-${id}`, 'postmortem.md'), 'utf8');
  const postmortems = async ({ room }: Opened) =>
    (await world.slack.files(room)).filter(({ name }) => name === 'postmortem.md').length;
  const waitFor = <T>(what: string, probe: () => Promise<T> | T) => world.slack.waitFor(what, probe, LONG_MS);
  const said = (about: Opened, wanted: string) =>
    waitFor(`the room to be told: ${wanted}`, async () => {
      return (await textsOf(world, about.room, 'notice')).find((text) => text.includes(wanted));
    });
  const times = async (about: Opened, wanted: string) =>
    (await textsOf(world, about.room, 'notice')).filter((text) => text.includes(wanted)).length;

  it('one pull request holds the document, and an issue each action item, which both link to', async () => {
    incident = await declareIncident(world, `sev3 quality ${SERVICE} wrong refunds`);
    const lead = world.slack.userId('lead');
    const item = `postmortem action <@${lead}> 2026-12-01 Pin the model, says <@${lead}>`;
    await ask(world, 'oncall', item, incident.room);
    await ask(world, 'oncall', 'resolve done', incident.room);
    await said(incident, 'https://github.test/acme/prompts/pull/');
    await said(incident, 'https://github.test/acme/prompts/issues/');
    const linked = `[#${git.issues[0]?.number}](https://github.test/acme/prompts/issues/`;
    await waitFor('the link in the pull request', () => kept(incident).includes(linked) || undefined);
    expect(onDisk(incident)).toBe(kept(incident));
    expect(git.issues).toHaveLength(1);
    expect(git.issues[0]).toMatchObject({ title: 'Pin the model, says @lead', assignees: ['octo'] });
    expect(git.pulls.map(({ title }) => title)).toEqual([`Post-mortem of INC-${incident.id}: wrong refunds`]);
    expect(await postmortems(incident)).toBe(1);
  });

  it('written again it is the same pull request, without a commit where nothing differs', async () => {
    await waitFor('the exports to be over', async () => {
      const before = github.requests.length;
      await world.slack.idle();
      await world.advance(1000);
      return github.requests.length === before || undefined;
    });
    const commits = git.log(branchOf(incident)).length;
    const asked = github.requests.length;
    await ask(world, 'oncall', 'postmortem', incident.room);
    await waitFor('another look', () => github.requests.length > asked + 7 || undefined);
    await waitFor('the document', async () => ((await postmortems(incident)) === 2 ? true : undefined));
    expect(git.log(branchOf(incident))).toHaveLength(commits);
    await ask(world, 'oncall', 'postmortem answer prevents We pin the model now.', incident.room);
    await ask(world, 'oncall', 'postmortem', incident.room);
    await waitFor('the answer', () => kept(incident).includes('We pin the model now.') || undefined);
    expect(git.log(branchOf(incident))).toHaveLength(commits + 1);
    expect([git.pulls.length, git.issues.length]).toEqual([1, 1]);
  });

  it('what a person changed on its branch is left alone, and the room is told once', async () => {
    git.commitBy(branchOf(incident), { [pathOf(incident)]: '# Reworded\n' }, 'Wording');
    for (const answer of ['Somebody else.', 'Somebody else again.']) {
      const asked = github.requests.length;
      await ask(world, 'oncall', `postmortem answer caught ${answer}`, incident.room);
      await ask(world, 'oncall', 'postmortem', incident.room);
      await waitFor('another look', () => github.requests.length > asked + 3 || undefined);
      await said(incident, `somebody changed ${pathOf(incident)}`);
    }
    expect(kept(incident)).toBe('# Reworded\n');
    expect(await times(incident, 'somebody changed')).toBe(1);
  });

  it('while GitHub is away the incident is resolved and written up, and exported later', async () => {
    github.away(true);
    const other = await declareIncident(world, `sev3 quality ${SERVICE} slow refunds`);
    await ask(world, 'oncall', 'resolve done', other.room);
    await waitFor('the document', async () => ((await postmortems(other)) > 0 ? true : undefined));
    await said(other, 'Not exported (github): GitHub did not answer');
    github.away(false);
    await said(other, 'Exporting works again (github). Exported: pull request #');
    expect(kept(other)).toContain('slow refunds');
    expect(await times(other, 'Not exported (github)')).toBe(1);
  });

  it('a private incident stays where it is', async () => {
    const before = git.pulls.length;
    const hidden = await declareIncident(world, `sev1 safety ${SERVICE} leaks`);
    await ask(world, 'oncall', 'resolve done', hidden.room);
    await waitFor('the document', async () => ((await postmortems(hidden)) > 0 ? true : undefined));
    const after = await declareIncident(world, 'sev3 outage all gone');
    await ask(world, 'oncall', 'resolve done', after.room);
    await said(after, 'pull request #');
    expect(git.pulls.slice(before).map(({ title }) => title)).toEqual([
      `Post-mortem of INC-${after.id}: all gone`,
    ]);
    expect(git.branches().join()).not.toContain(`inc-${hidden.id}-`);
  });
});
