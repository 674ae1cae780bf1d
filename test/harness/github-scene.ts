import { vendorTargetConfig } from '../../src/config/targets.ts';
import { githubTarget } from '../../src/mitigation/targets/github-target.ts';
import { blobIdOf, type DoubleRepository, GITHUB_TOKEN } from './github-double.ts';
import { SHORT_MS } from './vendor-faults.ts';

export const WORKFLOW = '.github/workflows/switch.yml';
const NAMED =
  'name: switch\nrun-name: "llm-incident ${{ inputs.llm_incident_key }}"\non: workflow_dispatch\n';
export const OLD = 'Answer politely.\n';
export const NEW = 'Answer wildly.\n';

/** A repository with a pin file, a prompt, variables and a workflow that names its runs. */
export const repositoryOf = (change: Partial<DoubleRepository> = {}): DoubleRepository => ({
  files: { 'prompts/pin file.txt': 'v14\n', 'prompts/answer.md': NEW, [WORKFLOW]: NAMED },
  blobs: { [blobIdOf(OLD)]: OLD, [blobIdOf(NEW)]: NEW },
  variables: { AI_ENABLED: 'true', MODEL: 'gpt-4o', SHARE: '10', NOTE: 'none' },
  runs: [],
  ...change,
});

/** Short deadlines; a workflow is followed for `followMs`. */
export function targetAt(url: string, change: object = {}, followMs = 150) {
  const config = vendorTargetConfig.parse({
    type: 'github',
    url,
    token: GITHUB_TOKEN,
    repository: 'acme/prompts',
    settings: {
      enabled: { variable: 'AI_ENABLED' },
      'prompt:pin': { file: 'prompts/pin file.txt' },
      'prompt:answer': { file: 'prompts/answer.md', holds: 'text' },
      model: { variable: 'MODEL', workflow: 'switch.yml' },
      'split:mini': { variable: 'SHARE' },
      'token-cap': { variable: 'CAP' },
    },
    allow_private: true,
    ...change,
  });
  if (config.type !== 'github') throw new Error(config.type);
  const serves = { service: 'answers', environment: 'production' };
  return githubTarget(config, serves, { timeoutMs: SHORT_MS, followMs, pauseMs: 10 });
}
