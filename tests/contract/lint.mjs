// lint: what redocly and spectral find in openapi.json and asyncapi.json, a sentence a finding.  Warnings count.
import fs from 'node:fs';
import redocly from '@redocly/openapi-core';
import spectralCore from '@stoplight/spectral-core';
import parsers from '@stoplight/spectral-parsers';
import rulesets from '@stoplight/spectral-rulesets';
import { dir } from './documents.mjs';

const redoclyRules = {
	'info-license': 'off',                 // a tracker is not published under one
	'operation-4xx-response': 'off',       // /healthz cannot go wrong
};
const spectralRules = {
	'openapi.json': {
		'operation-description': 'off',        // a summary says it
	},
	'asyncapi.json': {
		'asyncapi-latest-version': 'off',      // 3.0 is what tools know
		'asyncapi-info-license': 'off',
		'asyncapi-info-contact-properties': 'off',
		'asyncapi-3-payload-unsupported-schemaFormat': 'off',   // ours are JSON Schema 2020-12 and compiled by ajv
	},
};
const spectralSets = { 'openapi.json': rulesets.oas, 'asyncapi.json': rulesets.asyncapi };

export async function redoclyFindings(name) {
	const config = await redocly.createConfig({ extends: ['recommended-strict'], rules: redoclyRules });
	const problems = await redocly.lint({ ref: dir + name, config });
	return problems.map((p) => `${p.location[0]?.pointer ?? ''} ${p.ruleId}: ${p.message}`.replaceAll('\n', ' '));
}

export async function spectralFindings(name) {
	const spectral = new spectralCore.Spectral();
	spectral.setRuleset({ extends: [[spectralSets[name], 'recommended']], rules: spectralRules[name] });
	const document = new spectralCore.Document(fs.readFileSync(dir + name, 'utf8'), parsers.Json, dir + name);
	return (await spectral.run(document)).map((p) => `/${p.path.join('/')} ${p.code}: ${p.message}`);
}
