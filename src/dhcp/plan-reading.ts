import type { Plan } from '../plan/plan.ts';
import { OptionLayers } from './option-layers.ts';
import { QuirkSwitchboard } from './quirk-switches.ts';

/** A Plan, and what is made of it once for all its messages. */
export interface PlanReading {
  readonly plan: Plan;
  readonly optionLayers: OptionLayers;
  readonly quirkSwitches: QuirkSwitchboard;
}

export function readPlan(plan: Plan): PlanReading {
  return { plan, optionLayers: new OptionLayers(plan), quirkSwitches: new QuirkSwitchboard(plan) };
}
