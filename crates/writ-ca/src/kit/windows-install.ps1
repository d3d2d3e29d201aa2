# Lets this computer trust the certificate authority "@SUBJECT@". Run as administrator:
#   powershell -ExecutionPolicy Bypass -File install.ps1
# Changes: one certificate in LocalMachine\Root. Running it again changes nothing.
#Requires -RunAsAdministrator
$ErrorActionPreference = 'Stop'
$thumbprint = '@SHA1@'.Replace(':', '')
$file = Join-Path $PSScriptRoot '@NAME@.crt'
$certificate = New-Object System.Security.Cryptography.X509Certificates.X509Certificate2 $file
$sha256 = [System.Security.Cryptography.SHA256]::Create().ComputeHash($certificate.RawData)
if ([BitConverter]::ToString($sha256).Replace('-', ':') -ne '@SHA256@') {
    throw "$file is not the certificate that this kit was made for; nothing was changed"
}
if (Test-Path "Cert:\LocalMachine\Root\$thumbprint") {
    Write-Output 'LocalMachine\Root has it already'
} else {
    Import-Certificate -FilePath $file -CertStoreLocation Cert:\LocalMachine\Root | Out-Null
    Write-Output "added $thumbprint to LocalMachine\Root"
}
& (Join-Path $PSScriptRoot 'verify.ps1')
