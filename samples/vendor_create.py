"""Creates a job as the vendor's documentation shows it, with a region and a project id filled in and nothing else.

The region's address comes from HUAWEICLOUD_SDK_REGION_METASTUDIO_CN_NORTH_4 in the environment, the key from
CLOUD_SDK_AK and CLOUD_SDK_SK; the SDK itself is not told that it talks to voicegauge.
"""

import os
import sys

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkmetastudio.v1 import CreateShortJobReq, CreateShortJobRequest, MetaStudioClient
from huaweicloudsdkmetastudio.v1.region.metastudio_region import MetaStudioRegion

if __name__ == "__main__":
    project_id = sys.argv[1]
    credentials = BasicCredentials(os.environ["CLOUD_SDK_AK"], os.environ["CLOUD_SDK_SK"], project_id)
    client = (
        MetaStudioClient.new_builder()
        .with_credentials(credentials)
        .with_region(MetaStudioRegion.value_of("cn-north-4"))
        .build()
    )
    try:
        request = CreateShortJobRequest()
        request.body = CreateShortJobReq(job_type="VOICE_ASSESS")
        print(client.create_short_job(request))
    except exceptions.ClientRequestException as error:
        sys.exit(f"{error.status_code} {error.error_code}: {error.error_msg} (request {error.request_id})")
