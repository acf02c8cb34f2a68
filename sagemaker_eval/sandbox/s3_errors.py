"""The errors of S3, which are XML. Source: Amazon S3 API reference, "Error responses"."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from sagemaker_eval.sandbox.replies import Refusal, Reply

XML = "application/xml"


def s3_error(status: int, code: str, message: str, key: str = "") -> Refusal:
    """The refusal of a request. Replies to HEAD go out without this body, so their callers see the status alone."""
    root = Element("Error")
    members = {"Code": code, "Message": message, **({"Key": key} if key else {})}
    for name, text in members.items():
        SubElement(root, name).text = text
    return Refusal(Reply(status, tostring(root, "utf-8", xml_declaration=True), XML))
