import type { Rule } from '../rule.ts';
import { safetyBlockRate } from '../rules/safety-block-rate.ts';
import { formatWarning } from './format-warning.ts';
import { scoreWarning } from './score-warning.ts';
import { shareWarning } from './share-warning.ts';

/** Detectors that see a change before the rule of the same id does, or before it does harm; they open no room. */
export const warningRules: readonly Rule[] = [formatWarning, scoreWarning, shareWarning, safetyBlockRate];
