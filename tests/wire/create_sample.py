"""The create call as the vendor's page shows it, but for the project id, which the SDK then looks up by the region."""

import os

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkmetastudio.v1 import (
    CreateShortJobReq,
    CreateShortJobRequest,
    MetaStudioClient,
    ShortJobType,
)
from huaweicloudsdkmetastudio.v1.region.metastudio_region import MetaStudioRegion

if __name__ == "__main__":
    credentials = BasicCredentials(os.environ["CLOUD_SDK_AK"], os.environ["CLOUD_SDK_SK"])
    client = (
        MetaStudioClient.new_builder()
        .with_credentials(credentials)
        .with_region(MetaStudioRegion.value_of("cn-north-4"))
        .build()
    )
    request = CreateShortJobRequest()
    request.body = CreateShortJobReq(job_type=ShortJobType.VOICE_ASSESS)
    print(client.create_short_job(request))  # noqa: T201 - what a sample does
