import { addressFunctions } from './addresses.ts';
import { authorizerFunctions } from './authorizer.ts';
import type { CelFunction } from './call.ts';
import { conversionFunctions } from './conversions.ts';
import { formatFunctions } from './formats.ts';
import { listFunctions } from './lists.ts';
import { operatorFunctions } from './operators.ts';
import { quantityFunctions } from './quantities.ts';
import { semverFunctions } from './semver.ts';
import { stringFunctions } from './strings.ts';
import { timeFunctions } from './time.ts';
import { urlFunctions } from './urls.ts';

/** Every function by its name. Those whose arguments are not all evaluated (`&&`, `?:`, `or`) are the evaluator's. */
export const functionTable: ReadonlyMap<string, CelFunction> = new Map(
  [
    operatorFunctions,
    conversionFunctions,
    timeFunctions,
    stringFunctions,
    listFunctions,
    urlFunctions,
    quantityFunctions,
    addressFunctions,
    formatFunctions,
    semverFunctions,
    authorizerFunctions,
  ].flatMap((part) => Object.entries(part)),
);
