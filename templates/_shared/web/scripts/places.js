/* places.js: the place behind an AWS region's code, for people who know Ireland better than eu-west-1. */
(function (W) {
  "use strict";
  const PLACES = {
    "us-east-1": "Virginia",
    "us-east-2": "Ohio",
    "us-west-1": "California",
    "us-west-2": "Oregon",
    "ca-central-1": "Montreal",
    "ca-west-1": "Calgary",
    "mx-central-1": "Mexico",
    "sa-east-1": "São Paulo",
    "eu-west-1": "Ireland",
    "eu-west-2": "London",
    "eu-west-3": "Paris",
    "eu-central-1": "Frankfurt",
    "eu-central-2": "Zurich",
    "eu-north-1": "Stockholm",
    "eu-south-1": "Milan",
    "eu-south-2": "Spain",
    "af-south-1": "Cape Town",
    "me-south-1": "Bahrain",
    "me-central-1": "UAE",
    "il-central-1": "Tel Aviv",
    "ap-south-1": "Mumbai",
    "ap-south-2": "Hyderabad",
    "ap-southeast-1": "Singapore",
    "ap-southeast-2": "Sydney",
    "ap-southeast-3": "Jakarta",
    "ap-southeast-4": "Melbourne",
    "ap-southeast-5": "Malaysia",
    "ap-southeast-7": "Thailand",
    "ap-east-1": "Hong Kong",
    "ap-northeast-1": "Tokyo",
    "ap-northeast-2": "Seoul",
    "ap-northeast-3": "Osaka",
  };

  const place = (region) => (Object.hasOwn(PLACES, region) ? PLACES[region] : region);

  W.places = { place };
})((globalThis.Workshop = globalThis.Workshop || {}));
