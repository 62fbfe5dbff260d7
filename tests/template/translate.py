# SPDX-License-Identifier: MIT
"""translate.py TEMPLATE: prints it as SAM hands it to CloudFormation. Runs on SAM's own Python."""

import json
import sys
from pathlib import Path
from typing import Any

from boto3 import Session
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

# What `sam deploy` puts in place of a folder before it translates. `sam package` has done so.
UPLOADED = "s3://bucket/key"


def translate(template: dict[str, Any]) -> dict[str, Any]:
    for resource in template["Resources"].values():
        for uri in {"CodeUri", "ContentUri"} & resource["Properties"].keys():
            if not str(resource["Properties"][uri]).startswith("s3://"):
                resource["Properties"][uri] = UPLOADED
    translator = Translator({}, Parser(), boto_session=Session(region_name="eu-west-1"))
    return translator.translate(template, parameter_values={})


print(json.dumps(translate(yaml_parse(Path(sys.argv[1]).read_text()))))
