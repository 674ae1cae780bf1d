import { afterEach, describe, expect, test } from 'vitest';
import { type DoubleRepository, type DoubleRun, startGithub } from '../../../test/harness/github-double.ts';
import { repositoryOf, targetAt, WORKFLOW } from '../../../test/harness/github-scene.ts';
import type { VendorDouble } from '../../../test/harness/vendor-double.ts';
import { failureOf, RUN } from '../../../test/harness/vendor-faults.ts';

let double: VendorDouble;
const serving = async (repository: DoubleRepository) => {
  double = await startGithub(repository);
  return targetAt(double.url);
};

describe('a GitHub workflow', () => {
  afterEach(() => double.close());
  const step = { setting: 'model', from: 'gpt-4o', to: 'gpt-4o-2024-08-06' };

  /** A repository whose workflow sets the variable and ends so. */
  const workflowOf = (conclusion: string, change: Partial<DoubleRepository> = {}) => {
    const repository = repositoryOf(change);
    repository.onDispatch = (inputs, run) => {
      if (conclusion === 'success') repository.variables['MODEL'] = inputs['to'] ?? '';
      Object.assign(run, { status: 'completed', conclusion });
    };
    return repository;
  };

  test('is-dispatched-with-what-is-to-change-and-followed-to-its-end', async () => {
    const target = await serving(workflowOf('success'));
    await target.apply(step, RUN);
    expect(double.changes().map(({ body }) => body)).toEqual([
      {
        ref: 'main',
        inputs: {
          llm_incident_key: RUN.idempotencyKey,
          service: 'answers',
          environment: 'production',
          setting: 'model',
          from: 'gpt-4o',
          to: 'gpt-4o-2024-08-06',
        },
        return_run_details: true,
      },
    ]);
    expect(await target.read()).toMatchObject({ model: 'gpt-4o-2024-08-06' });
  });

  test('is-found-by-its-name-where-github-does-not-say-its-id', async () => {
    const target = await serving(workflowOf('success', { withoutRunDetails: true }));
    await target.apply(step, RUN);
    expect(double.changes()).toHaveLength(1);
  });

  test('that-fails-is-told-with-its-address-and-not-run-again', async () => {
    const target = await serving(workflowOf('failure'));
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const error = await failureOf(target.apply(step, RUN));
      expect(error).toMatchObject({ code: 'RUN_FAILED', retryable: false, outcomeUnknown: true });
      expect(error.message).toContain('/actions/runs/');
    }
    expect(double.changes()).toHaveLength(1);
  });

  test('that-takes-long-is-taken-up-again-and-never-started-twice', async () => {
    const repository = repositoryOf();
    const started: DoubleRun[] = [];
    repository.onDispatch = (_, run) => void started.push(run);
    const target = await serving(repository);
    const error = await failureOf(target.apply(step, RUN));
    expect(error).toMatchObject({ code: 'RUNNING', retryable: true, outcomeUnknown: true });
    expect(error.retryAfterMs).toBe(5_000);
    const [run] = started;
    if (run === undefined) throw new Error('nothing was started');
    Object.assign(run, { status: 'completed', conclusion: 'success' });
    await target.apply(step, RUN);
    expect(started).toHaveLength(1);
  });

  test('whose-dispatch-was-not-answered-is-taken-up-again', async () => {
    const target = await serving(workflowOf('success'));
    double.next('change', { kind: 'hang' });
    expect(await failureOf(target.apply(step, RUN))).toMatchObject({ code: 'TIMEOUT', outcomeUnknown: true });
    await target.apply(step, RUN);
    expect(double.changes()).toHaveLength(1);
  });

  test('of-another-mitigation-is-another-run', async () => {
    const target = await serving(workflowOf('failure'));
    await failureOf(target.apply(step, RUN));
    await failureOf(target.apply(step, { ...RUN, idempotencyKey: 'mitigation-8-0-another' }));
    expect(double.changes()).toHaveLength(2);
  });

  test.each([
    ['does-not-name-its-runs', 'name: switch\non: workflow_dispatch\n'],
    ['is-not-there', undefined],
  ])('that-%s-is-never-dispatched', async (_, text) => {
    const repository = workflowOf('success');
    if (text === undefined) delete repository.files[WORKFLOW];
    else repository.files[WORKFLOW] = text;
    const target = await serving(repository);
    const error = await failureOf(target.apply(step, RUN));
    expect(error).toMatchObject({ code: 'WORKFLOW', retryable: false, outcomeUnknown: false });
    expect(double.changes()).toHaveLength(0);
  });
});
