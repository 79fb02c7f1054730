"""Where countries, the states of the USA and the regions of AWS are: continent and a point for each, as Route 53 names them.

In: nothing. Out: tables. A point is near the middle of a country's or a state's population, or near a region's data centres, in
whole or half degrees: good for an order by distance, and for nothing else.
"""

from __future__ import annotations

__all__ = ["CONTINENTS", "COUNTRIES", "REGIONS", "STATES"]

Point = tuple[float, float]
"""Latitude and longitude in degrees."""

_COUNTRIES = {
    "AF": """
        AO -9 13.5, BF 12.5 -1.5, BI -3.5 29.5, BJ 6.5 2.5, BW -24.5 26, CD -4.5 15.5, CF 4.5 18.5, CG -4.5 15.5, CI 5.5 -4,
        CM 4 11.5, CV 15 -23.5, DJ 11.5 43, DZ 36.5 3, EG 30 31, EH 27 -13, ER 15.5 39, ET 9 38.5, GA 0.5 9.5, GH 5.5 0,
        GM 13.5 -16.5, GN 9.5 -13.5, GQ 3.5 8.5, GW 12 -15.5, KE -1.5 37, KM -11.5 43.5, LR 6.5 -11, LS -29.5 27.5, LY 33 13,
        MA 33.5 -7.5, MG -19 47.5, ML 12.5 -8, MR 18 -16, MU -20 57.5, MW -14 34, MZ -26 32.5, NA -22.5 17, NE 13.5 2,
        NG 6.5 3.5, RE -21 55.5, RW -2 30, SC -4.5 55.5, SD 15.5 32.5, SH -16 -5.5, SL 8.5 -13, SN 14.5 -17.5, SO 2 45.5,
        SS 5 31.5, ST 0.5 6.5, SZ -26.5 31, TD 12 15, TG 6 1, TN 37 10, TZ -7 39, UG 0.5 32.5, YT -13 45, ZA -26 28,
        ZM -15.5 28.5, ZW -18 31""",
    "AN": "AQ -78 167, BV -54.5 3.5, GS -54.5 -36.5, HM -53 73.5, TF -49.5 70",
    "AS": """
        AE 25 55.5, AF 34.5 69, AM 40 44.5, AZ 40.5 50, BD 24 90.5, BH 26 50.5, BN 5 115, BT 27.5 89.5, CC -12 97, CN 34 113,
        CX -10.5 105.5, GE 41.5 45, HK 22.5 114, ID -6 107, IL 32 35, IN 23 79, IO -7.5 72.5, IQ 33.5 44.5, IR 35.5 51.5,
        JO 32 36, JP 35.5 138.5, KG 43 74.5, KH 11.5 105, KP 39 126, KR 37 127, KW 29.5 48, KZ 43.5 77, LA 18 102.5,
        LB 34 35.5, LK 7 80, MM 17 96, MN 48 107, MO 22 113.5, MV 4 73.5, MY 3 101.5, NP 27.5 85.5, OM 23.5 58.5,
        PH 14.5 121, PK 31.5 73, PS 31.5 34.5, QA 25.5 51.5, SA 24.5 45, SG 1.5 104, SY 34 36.5, TH 14 100.5, TJ 38.5 69,
        TL -8.5 125.5, TM 38 58.5, TR 40 31, TW 24.5 121, UZ 41 69, VN 16 107, YE 15 44""",
    "EU": """
        AD 42.5 1.5, AL 41.5 20, AT 48 15.5, AX 60 20, BA 44 18, BE 51 4.5, BG 42.5 24, BY 54 27.5, CH 47 8, CY 35 33.5,
        CZ 50 15, DE 50.5 9.5, DK 55.5 11.5, EE 59 25, ES 40.5 -3.5, FI 61 25, FO 62 -7, FR 48 2.5, GB 52.5 -1.5, GG 49.5 -2.5,
        GI 36 -5.5, GR 38.5 23.5, HR 45.5 16, HU 47.5 19, IE 53.5 -6.5, IM 54 -4.5, IS 64 -22, IT 43 12, JE 49 -2, LI 47 9.5,
        LT 55 24, LU 49.5 6, LV 57 24, MC 43.5 7.5, MD 47 29, ME 42.5 19, MK 41.5 21.5, MT 36 14.5, NL 52 5, NO 60 10.5,
        PL 52 20, PT 39.5 -9, RO 45 26, RS 44.5 20.5, RU 55.5 39, SE 59 16.5, SI 46 14.5, SJ 78 15.5, SK 48.5 19, SM 44 12.5,
        UA 49.5 31.5, VA 42 12.5, XK 42.5 21""",
    "NA": """
        AG 17 -62, AI 18 -63, AW 12.5 -70, BB 13 -59.5, BL 18 -63, BM 32.5 -64.5, BQ 12 -68.5, BS 25 -77.5, BZ 17.5 -88.5,
        CA 45 -76, CR 10 -84, CU 22.5 -81, CW 12 -69, DM 15.5 -61.5, DO 18.5 -70, GD 12 -61.5, GL 64 -51.5, GP 16 -61.5,
        GT 14.5 -90.5, HN 14.5 -87, HT 18.5 -72.5, JM 18 -77, KN 17.5 -62.5, KY 19.5 -81.5, LC 14 -61, MF 18 -63, MQ 14.5 -61,
        MS 16.5 -62, MX 20 -100, NI 12 -86, PA 9 -79.5, PM 47 -56, PR 18.5 -66, SV 13.5 -89, SX 18 -63, TC 22 -72,
        TT 10.5 -61.5, US 38 -92.5, VC 13 -61, VG 18.5 -64.5, VI 18.5 -65""",
    "OC": """
        AS -14.5 -170.5, AU -33 147, CK -21 -160, FJ -18 178.5, FM 7 158, GU 13.5 145, KI 1.5 173, MH 7 171, MP 15 145.5,
        NC -22 166.5, NF -29 168, NR -0.5 167, NU -19 -170, NZ -38 175.5, PF -17.5 -149.5, PG -9.5 147, PN -25 -130,
        PW 7.5 134.5, SB -9.5 160, TK -9 -172, TO -21 -175, TV -8.5 179, UM 19.5 166.5, VU -17.5 168.5, WF -13.5 -176,
        WS -14 -172""",
    "SA": """
        AR -34 -60.5, BO -17 -66, BR -20.5 -46, CL -33.5 -70.5, CO 5 -74.5, EC -1.5 -79, FK -51.5 -58, GF 5 -52.5, GY 7 -58,
        PE -11 -77, PY -25.5 -57, SR 6 -55, UY -35 -56, VE 10 -67""",
}

_STATES = """
    AK 61 -149.5, AL 33 -87, AR 35 -92.5, AZ 33.5 -112, CA 36 -119.5, CO 39.5 -105, CT 41.5 -73, DC 39 -77, DE 39.5 -75.5,
    FL 28 -81.5, GA 33.5 -84, HI 21 -157.5, IA 42 -93, ID 43.5 -115, IL 41.5 -88.5, IN 40 -86, KS 38.5 -96.5, KY 38 -85.5,
    LA 30.5 -91.5, MA 42.5 -71.5, MD 39 -77, ME 44.5 -69.5, MI 43 -84.5, MN 45 -93.5, MO 38.5 -92, MS 32.5 -89.5, MT 46.5 -111,
    NC 35.5 -79.5, ND 47.5 -99, NE 41 -97, NH 43 -71.5, NJ 40.5 -74.5, NM 35 -106.5, NV 37 -116.5, NY 41.5 -74.5, OH 40.5 -82.5,
    OK 35.5 -97, OR 45 -123, PA 40.5 -77, RI 41.5 -71.5, SC 34 -81, SD 44 -99, TN 36 -86.5, TX 31 -97.5, UT 40.5 -112,
    VA 37.5 -78, VT 44 -73, WA 47.5 -121.5, WI 43.5 -89, WV 38.5 -81, WY 42 -107"""

_REGIONS = """
    af-south-1 ZA -34 18.5, ap-east-1 HK 22.5 114, ap-east-2 TW 25 121.5, ap-northeast-1 JP 35.5 139.5,
    ap-northeast-2 KR 37.5 127, ap-northeast-3 JP 34.5 135.5, ap-south-1 IN 19 73, ap-south-2 IN 17.5 78.5,
    ap-southeast-1 SG 1.5 104, ap-southeast-2 AU -34 151, ap-southeast-3 ID -6 107, ap-southeast-4 AU -38 145,
    ap-southeast-5 MY 3 101.5, ap-southeast-6 NZ -37 175, ap-southeast-7 TH 14 100.5, ca-central-1 CA 45.5 -73.5,
    ca-west-1 CA 51 -114, cn-north-1 CN 40 116.5, cn-northwest-1 CN 37.5 105, eu-central-1 DE 50 8.5, eu-central-2 CH 47.5 8.5,
    eu-north-1 SE 59.5 18, eu-south-1 IT 45.5 9, eu-south-2 ES 41.5 -1, eu-west-1 IE 53.5 -6.5, eu-west-2 GB 51.5 0,
    eu-west-3 FR 49 2.5, eusc-de-east-1 DE 52.5 13.5, il-central-1 IL 32 35, me-central-1 AE 24.5 54.5, me-south-1 BH 26 50.5,
    mx-central-1 MX 20.5 -100.5, sa-east-1 BR -23.5 -46.5, us-east-1 US-VA 39 -77.5, us-east-2 US-OH 40 -83,
    us-gov-east-1 US-OH 40 -83, us-gov-west-1 US-OR 45.5 -120, us-west-1 US-CA 37.5 -122, us-west-2 US-OR 45.5 -119.5"""


def _rows(text: str) -> list[list[str]]:
    return [row.split() for row in text.split(",")]


CONTINENTS = {row[0]: continent for continent, text in _COUNTRIES.items() for row in _rows(text)}
"""The continent of a country, both by their codes."""
COUNTRIES: dict[str, Point] = {
    code: (float(latitude), float(longitude)) for text in _COUNTRIES.values() for code, latitude, longitude in _rows(text)
}
STATES: dict[str, Point] = {code: (float(latitude), float(longitude)) for code, latitude, longitude in _rows(_STATES)}
"""The states of the USA, and its capital."""
REGIONS: dict[str, tuple[str, str, Point]] = {
    region: (country.partition("-")[0], country.partition("-")[2], (float(latitude), float(longitude)))
    for region, country, latitude, longitude in _rows(_REGIONS)
}
"""By the region of AWS: country, state or "", point."""
