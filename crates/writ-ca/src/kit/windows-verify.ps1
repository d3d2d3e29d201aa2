# Says whether this computer trusts "@SUBJECT@". Changes nothing. Ends with 0 if it does and 1 if not.
$thumbprint = '@SHA1@'.Replace(':', '')
if (Test-Path "Cert:\LocalMachine\Root\$thumbprint") {
    Write-Output "trusted: LocalMachine\Root has $thumbprint"
    exit 0
}
Write-Output "not trusted: LocalMachine\Root does not have $thumbprint"
exit 1
