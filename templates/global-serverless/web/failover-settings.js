/* failover-settings.js: every figure of the failover, in milliseconds and counts.
 * The text between the equals sign and the last semicolon is JSON, so that tools which are no browsers read the same figures. */
window.WORKSHOP_FAILOVER =
{
  "writeEveryMs": 500,
  "writeTimeoutMs": 3000,
  "probeEveryMs": 2000,
  "probeTimeoutMs": 3000,
  "readEveryMs": 1000,
  "countdownMs": 10000,
  "minFailures": 3,
  "recoverAfter": 2,
  "failbackAfter": 3
}
;
