// Verifies access tokens of a user pool, as the gateway does by itself where it takes a pool of another region.
// In: the Authorization header of a call; the variables POOL (its ARN) and SCOPES (JSON, by method). Out: a policy that allows this one
// call, or the error `Unauthorized`, of which the gateway makes a 401. Nothing but the pool's public keys is kept between calls.
"use strict";
const { createPublicKey, verify } = require("node:crypto");

const [, , , REGION, , RESOURCE] = process.env.POOL.split(":");
const POOL = RESOURCE.split("/")[1];
const ISSUER = `https://cognito-idp.${REGION}.amazonaws.com/${POOL}`;
const SOURCE = process.env.AWS_ENDPOINT_URL ? `${process.env.AWS_ENDPOINT_URL}/${POOL}` : ISSUER; // as the SDKs do
const SCOPES = JSON.parse(process.env.SCOPES);
const PAUSE = 60_000; // milliseconds between two looks for keys: tokens with made-up ones cause no more
let keys = new Map();
let looked = -PAUSE;

async function keyOf(kid) {
  if (!keys.has(kid) && performance.now() - looked > PAUSE) {
    const found = await fetch(`${SOURCE}/.well-known/jwks.json`, { signal: AbortSignal.timeout(3000) });
    if (!found.ok) throw new Error(`The keys of the pool could not be read: ${found.status}`);
    keys = new Map((await found.json()).keys.map((key) => [key.kid, createPublicKey({ key, format: "jwk" })]));
    looked = performance.now();
  }
  return keys.get(kid);
}

function part(text) {
  try {
    return Object(JSON.parse(Buffer.from(text, "base64url").toString("utf8")));
  } catch {
    return {};
  }
}

async function isSigned([head, payload, signature]) {
  const { alg, kid } = part(head);
  const key = alg === "RS256" && (await keyOf(kid));
  return key && verify("RSA-SHA256", Buffer.from(`${head}.${payload}`), key, Buffer.from(signature, "base64url"));
}

function isFor(claims, method) {
  const { iss, token_use, client_id, exp, nbf = 0, scope } = claims;
  const now = Date.now() / 1000;
  return iss === ISSUER && token_use === "access" && client_id && exp > now && nbf <= now && `${scope}`.split(" ").includes(SCOPES[method]);
}

exports.handler = async ({ authorizationToken, methodArn }) => {
  const token = /^(?:Bearer )?([\w-]+)\.([\w-]+)\.([\w-]+)$/i.exec(authorizationToken)?.slice(1);
  const claims = token ? part(token[1]) : {};
  if (!token || !isFor(claims, `${methodArn}`.split("/")[2]) || !(await isSigned(token))) throw new Error("Unauthorized");
  const { sub, username = "", client_id, scope } = claims;
  const Statement = [{ Effect: "Allow", Action: "execute-api:Invoke", Resource: methodArn }];
  return { principalId: sub, policyDocument: { Version: "2012-10-17", Statement }, context: { username, client_id, scope } };
};
