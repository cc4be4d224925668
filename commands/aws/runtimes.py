"""Runtimes for which Lambda refuses updates. Pure."""

# Since when: "Block function update" in AWS's table of deprecated runtimes, as public copies had it in November 2026.
# Newer deprecated ones (python3.7, nodejs14.x and later) are not here: AWS put them off again and again, now to 2027.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html#runtimes-deprecated
UPDATES_BLOCKED = {
    "dotnetcore3.1": "2023-05-03",
    "nodejs12.x": "2023-04-30",
    "python3.6": "2022-08-29",
    "python2.7": "2022-05-30",
    "dotnetcore2.1": "2022-04-13",
    "ruby2.5": "2022-03-31",
    "nodejs10.x": "2022-02-14",
    "nodejs8.10": "2020-03-06",
    "nodejs4.3": "2020-03-05",
    "nodejs6.10": "2019-08-12",
    "dotnetcore1.0": "2019-07-30",
    "dotnetcore2.0": "2019-05-30",
    "nodejs4.3-edge": "2019-04-30",
    "nodejs": "2016-10-31",
}
