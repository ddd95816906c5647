"""What `mitmdump -s addons/gateway.py` loads: the stations, in the order in which they are opened.

A call meets them as `holdfast/gate.py` says: identity, policy, masking, approval, capture.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from holdfast.proxy.approval import ApprovalStation
from holdfast.proxy.capture import CaptureStation
from holdfast.proxy.identity import IdentityStation
from holdfast.proxy.loader import Gateway
from holdfast.proxy.masking import MaskingStation
from holdfast.proxy.policy import PolicyStation
from holdfast.proxy.servers import ServersStation

addons = [
    Gateway(
        [
            CaptureStation(),  # holdfast_data: keys and ledger, since every other station may have to record
            ServersStation(),  # holdfast_server, holdfast_paths: what is behind the gateway where no rule says so
            PolicyStation(),  # holdfast_rules: what the rules say; makes an Identifier and a Masker from them
            IdentityStation(),  # holdfast_resource, holdfast_origins: who asks
            MaskingStation(),  # what must not travel or be kept
            ApprovalStation(),  # what a person must approve: the desk
        ]
    )
]
