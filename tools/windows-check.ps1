#requires -Version 5.1
# SPDX-License-Identifier: BSL-1.0
<#
.SYNOPSIS
Builds tofu on this Windows, runs its tests and examples, and writes a report into one file that can be sent back.

.DESCRIPTION
Needs Windows 10 or later, a checkout, and one of
  - MSYS2 (msys2.org) with these packages; -Install installs them:
      pacman -S --needed mingw-w64-x86_64-gcc mingw-w64-x86_64-cmake mingw-w64-x86_64-ninja
                         mingw-w64-x86_64-boost mingw-w64-x86_64-fmt mingw-w64-x86_64-cxxopts
  - Visual Studio 2022 with C++, and vcpkg (VCPKG_ROOT says where) with: boost-test boost-crc boost-mp11
    boost-intrusive boost-unordered fmt cxxopts, all :x64-windows
The run takes about ten minutes, most of them for compiling. It opens no port to other machines, and changes nothing
outside its build directory. In a shell of Windows, in the checkout:

    powershell -ExecutionPolicy Bypass -File tools\windows-check.ps1

The last line names the report. Exit code: 0 nothing failed, 1 something failed.

.PARAMETER Compiler
mingw (of MSYS2), msvc (of Visual Studio), or auto: the first of the two that is installed.

.PARAMETER Msys
The directory of MSYS2.

.PARAMETER Build
The build directory; the report and all logs are there, too.

.PARAMETER Install
Installs the packages that MSYS2 lacks.
#>
[CmdletBinding()]
param(
    [ValidateSet('auto', 'mingw', 'msvc')]
    [string] $Compiler = 'auto',
    [string] $Msys = 'C:\msys64',
    [string] $Build = '',
    [switch] $Install
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$source = Split-Path -Parent $PSScriptRoot
if ($Build -eq '') { $Build = Join-Path $source 'build\windows-check' }
$logs = Join-Path $Build 'log'
$reportFile = Join-Path $Build 'windows-report.txt'
$null = New-Item -ItemType Directory -Force -Path $logs
$jobs = [Environment]::ProcessorCount

$report = New-Object 'System.Collections.Generic.List[string]'
$results = New-Object 'System.Collections.Generic.List[object]'

# ---- functions for all parts below ----

function Add-Section([string] $Title, [string[]] $Lines) {
    $report.Add('')
    $report.Add("==== $Title ====")
    foreach ($line in $Lines) { $report.Add($line) }
}

function Add-Result([string] $What, [string] $Verdict, [string] $Detail) {
    $results.Add([pscustomobject] @{ What = $What; Verdict = $Verdict; Detail = $Detail })
    Write-Host ('{0,-8} {1}  {2}' -f $Verdict, $What, $Detail)
}

function Format-Argument([string] $Text) {
    if ($Text -ne '' -and $Text -notmatch '[\s"]') { return $Text }
    return '"' + $Text.Replace('"', '\"') + '"'
}

# Lines of a file that a program may still be writing to.
function Read-Lines([string] $File) {
    if (-not (Test-Path -LiteralPath $File)) { return }
    Get-Content -LiteralPath $File
}

# The output goes to files, not to pipes, because PowerShell 5.1 treats any text on the standard error as an error.
function Start-Program([string] $Name, [string] $File, [string[]] $Arguments) {
    $options = @{
        FilePath               = $File
        WorkingDirectory       = $Build
        NoNewWindow            = $true
        PassThru               = $true
        RedirectStandardOutput = (Join-Path $logs "$Name.out")
        RedirectStandardError  = (Join-Path $logs "$Name.err")
    }
    if ($Arguments.Count -gt 0) { $options.ArgumentList = @($Arguments | ForEach-Object { Format-Argument $_ }) }
    $process = Start-Process @options
    $null = $process.Handle # without this, the exit code is forgotten
    return $process
}

# Waits for the end of a program, and ends it when that takes too long.
function Wait-Program($Process, [string] $Name, [int] $Seconds) {
    $ended = $Process.WaitForExit($Seconds * 1000)
    if (-not $ended) { Stop-Process -Id $Process.Id -Force -ErrorAction SilentlyContinue }
    $Process.WaitForExit()
    $code = -1
    if ($ended) { $code = $Process.ExitCode }
    $lines = @(Read-Lines (Join-Path $logs "$Name.out")) + @(Read-Lines (Join-Path $logs "$Name.err"))
    return [pscustomobject] @{ Code = $code; InTime = $ended; Lines = $lines }
}

function Invoke-Program([string] $Name, [string] $File, [string[]] $Arguments, [int] $Seconds) {
    $process = Start-Program $Name $File $Arguments
    return Wait-Program $process $Name $Seconds
}

# Returns the first line that matches within the given seconds. Nothing: there was none.
function Wait-Line([string] $Name, [string] $Pattern, [int] $Seconds) {
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    while ($watch.Elapsed.TotalSeconds -lt $Seconds) {
        foreach ($line in @(Read-Lines (Join-Path $logs "$Name.out"))) {
            if ($line -match $Pattern) { return $line }
        }
        Start-Sleep -Milliseconds 50
    }
    return ''
}

function Select-Last([object[]] $Lines, [int] $Count) {
    return @($Lines | Select-Object -Last $Count | ForEach-Object { "    $_" })
}

# ---- the facts about this machine ----

function Get-Median([double[]] $Values) {
    $sorted = @($Values | Sort-Object)
    return $sorted[[int] [Math]::Floor($sorted.Count / 2)]
}

function Add-SystemFacts {
    $version = Get-Item -LiteralPath 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
    $driver = Join-Path $env:SystemRoot 'System32\drivers\afunix.sys'
    $names = @($version.GetValue('ProductName', '?'), $version.GetValue('DisplayVersion', ''))
    $numbers = @($version.GetValue('CurrentBuild', '?'), $version.GetValue('UBR', '?'))
    Add-Section 'system' @(
        ('Windows: {0}, build {1}' -f ($names -join ' '), ($numbers -join '.')),
        ('processor: {0}, {1} logical' -f $env:PROCESSOR_IDENTIFIER, $jobs),
        ('PowerShell: {0}' -f $PSVersionTable.PSVersion),
        ('driver of Unix domain sockets (afunix.sys): {0}' -f (Test-Path -LiteralPath $driver))
    )
}

# The real time of a sleep of one millisecond: the system's tick, unless a program has asked Windows for a finer tick.
function Add-TimerResolution {
    $times = @()
    foreach ($i in 1..100) {
        $watch = [System.Diagnostics.Stopwatch]::StartNew()
        [System.Threading.Thread]::Sleep(1)
        $times += $watch.Elapsed.TotalMilliseconds
    }
    $extremes = $times | Measure-Object -Minimum -Maximum
    Add-Section 'timer resolution' @(
        ('100 sleeps of 1 ms took: shortest {0:n2} ms, median {1:n2} ms, longest {2:n2} ms' -f
            $extremes.Minimum, (Get-Median $times), $extremes.Maximum)
    )
}

# The software between programs and the network. The labels are in the language of Windows, the files are not.
function Add-WinsockCatalog {
    $catalog = Invoke-Program 'catalog' 'netsh.exe' @('winsock', 'show', 'catalog') 60
    $files = @()
    foreach ($line in $catalog.Lines) {
        if ($line -match '([^\s\\]+\.dll)\s*$') { $files += $Matches[1] }
    }
    Add-Section 'files of the Winsock providers' @($files | Sort-Object -Unique)
    Add-Section 'netsh winsock show catalog' $catalog.Lines
}

# ---- finding a compiler ----

function Find-Command([string] $Name, [string[]] $Folders) {
    foreach ($folder in $Folders) {
        $file = Join-Path $folder $Name
        if (Test-Path -LiteralPath $file) { return $file }
    }
    $found = @(Get-Command -Name $Name -CommandType Application -ErrorAction SilentlyContinue)
    if ($found.Count -gt 0) { return $found[0].Source }
    return ''
}

# The arguments of CMake for MSYS2's compiler. Nothing: it is not installed.
function Get-MingwTools {
    $bin = Join-Path $Msys 'mingw64\bin'
    if ($Install) {
        $packages = @('gcc', 'cmake', 'ninja', 'boost', 'fmt', 'cxxopts' | ForEach-Object { "mingw-w64-x86_64-$_" })
        $pacman = Join-Path $Msys 'usr\bin\pacman.exe'
        $installed = Invoke-Program 'pacman' $pacman (@('-S', '--needed', '--noconfirm') + $packages) 900
        if ($installed.Code -ne 0) { throw "pacman failed: see $logs\pacman.err" }
    }
    $compilerFile = Find-Command 'g++.exe' @($bin)
    $cmakeFile = Find-Command 'cmake.exe' @($bin)
    $ninjaFile = Find-Command 'ninja.exe' @($bin)
    if ($compilerFile -eq '' -or $cmakeFile -eq '' -or $ninjaFile -eq '') { return $null }
    # The compiler and its programs find the compiler's libraries there.
    $env:PATH = (Split-Path -Parent $compilerFile) + ';' + $env:PATH
    return [pscustomobject] @{
        Name    = 'mingw'
        CMake   = $cmakeFile
        Options = @('-G', 'Ninja', "-DCMAKE_MAKE_PROGRAM=$ninjaFile", "-DCMAKE_CXX_COMPILER=$compilerFile",
            '-DCMAKE_BUILD_TYPE=', '-DCMAKE_CXX_FLAGS=-O1 -Wa,-mbig-obj')
    }
}

# The same for Visual Studio.
function Get-MsvcTools {
    $installer = Join-Path ${env:ProgramFiles(x86)} 'Microsoft Visual Studio\Installer\vswhere.exe'
    if (-not (Test-Path -LiteralPath $installer)) { return $null }
    $found = Invoke-Program 'vswhere' $installer @('-latest', '-products', '*', '-requires',
        'Microsoft.VisualStudio.Component.VC.Tools.x86.x64', '-property', 'installationPath') 60
    if ($found.Code -ne 0 -or $found.Lines.Count -eq 0) { return $null }
    $bundled = Join-Path $found.Lines[0] 'Common7\IDE\CommonExtensions\Microsoft\CMake\CMake\bin'
    $cmakeFile = Find-Command 'cmake.exe' @($bundled)
    if ($cmakeFile -eq '') { return $null }
    $options = @('-A', 'x64', '-DCMAKE_CXX_FLAGS=/EHsc /bigobj /utf-8 /Zc:__cplusplus /Zc:preprocessor')
    if (Test-Path -LiteralPath 'Env:\VCPKG_ROOT') {
        $options += '-DCMAKE_TOOLCHAIN_FILE=' + (Join-Path $env:VCPKG_ROOT 'scripts\buildsystems\vcpkg.cmake')
    }
    return [pscustomobject] @{ Name = 'msvc'; CMake = $cmakeFile; Options = $options }
}

function Get-Tools {
    $tools = $null
    if ($Compiler -ne 'msvc') { $tools = Get-MingwTools }
    if ($null -eq $tools -and $Compiler -ne 'mingw') { $tools = Get-MsvcTools }
    if ($null -eq $tools) {
        throw 'no compiler, CMake and Ninja found. Get-Help tools\windows-check.ps1 -Full says what is wanted.'
    }
    return $tools
}

# ---- building ----

function Build-Target($Tools, [string] $Target) {
    $arguments = @('--build', $Build, '--config', 'Release', '--parallel', "$jobs", '--target', $Target)
    $built = Invoke-Program "build-$Target" $Tools.CMake $arguments 1800
    if ($built.Code -eq 0) {
        Add-Result "build $Target" 'passed' ''
        return $true
    }
    Add-Result "build $Target" 'FAILED' "see $logs"
    Add-Section "build of $Target, the end" (Select-Last $built.Lines 60)
    return $false
}

# Tells whether CMake has found everything.
function Initialize-Build($Tools) {
    $arguments = @('-S', $source, '-B', $Build, '-DTOFU_BUILD_TESTS=ON', '-DTOFU_BUILD_EXAMPLES=ON',
        '-DTOFU_TEST_AFD_DIRECT=ON', '-DTOFU_WARNINGS_AS_ERRORS=OFF') + $Tools.Options
    $configured = Invoke-Program 'configure' $Tools.CMake $arguments 300
    Add-Section 'configuration' (Select-Last $configured.Lines 30)
    if ($configured.Code -eq 0) { return }
    throw 'CMake does not find what it needs; see the end of the report.'
}

# ---- running ----

# A suite that has passed gets no line.
function Add-SuiteResult([string] $Suite, [string] $Outcome) {
    if ($Outcome -eq 'Passed') { return }
    $verdict = 'FAILED'
    if ($Outcome -eq 'Skipped') { $verdict = 'skipped' }
    Add-Result "suite $Suite" $verdict $Outcome
}

# The test program, one suite at a time. Both ways to issue polls are among its cases.
function Invoke-Tests($Tools) {
    $ctest = Join-Path (Split-Path -Parent $Tools.CMake) 'ctest.exe'
    $tests = Invoke-Program 'tests' $ctest @('--test-dir', $Build, '-C', 'Release', '-j', "$jobs", '--verbose',
        '--timeout', '180', '--no-tests=error', '-LE', 'long|package|structure|example') 1800
    $pattern = '^\s*\d+/\d+\s+Test\s+#\d+:\s+(\S+)\s.*?(Passed|Failed|Timeout|Skipped|Not Run|Exception)'
    $suites = 0; $passed = 0; $failed = 0; $skipped = 0
    foreach ($line in $tests.Lines) {
        if ($line -match $pattern) {
            $suites += 1
            Add-SuiteResult $Matches[1] $Matches[2]
        } elseif ($line -match 'cases: (\d+) passed, (\d+) failed, (\d+) skipped') {
            $passed += [int] $Matches[1]
            $failed += [int] $Matches[2]
            $skipped += [int] $Matches[3]
        }
    }
    $verdict = 'passed'
    if ($tests.Code -ne 0) { $verdict = 'FAILED' }
    Add-Result "$suites suites" $verdict "cases: $passed passed, $failed failed, $skipped skipped"
    Add-Section 'skipped cases' @($tests.Lines | Where-Object { $_ -match 'skipped case:' })
    if ($tests.Code -ne 0) { Add-Section 'all tests' $tests.Lines }
}

function Find-Built([string] $Name) {
    $found = @(Get-ChildItem -LiteralPath $Build -Recurse -Filter "$Name.exe" -File)
    if ($found.Count -eq 0) { throw "$Name.exe was not built" }
    return $found[0].FullName
}

# One client and one server, over one kind of address.
function Invoke-Echo([string] $Kind, [string] $Address) {
    $server = Start-Program "echo-server-$Kind" (Find-Built 'echo_server') @('--clients', '2', $Address)
    $line = Wait-Line "echo-server-$Kind" '^listening on ' 20
    if ($line -eq '') {
        $ended = Wait-Program $server "echo-server-$Kind" 1
        Add-Result "echo over $Kind" 'FAILED' 'the server does not listen'
        Add-Section "echo server over $Kind" $ended.Lines
        return
    }
    $where = $line.Substring('listening on '.Length).Trim()
    $client = Find-Built 'echo_client'
    $one = Invoke-Program "echo-client-1-$Kind" $client @($where, '--count', '10000') 120
    $many = Invoke-Program "echo-client-64-$Kind" $client @($where, '--count', '100000', '--window', '64') 120
    $ended = Wait-Program $server "echo-server-$Kind" 20
    Add-Section "echo over $Kind" ($one.Lines + $many.Lines + $ended.Lines)
    $verdict = 'FAILED'
    if ($one.Code -eq 0 -and $many.Code -eq 0 -and $ended.Code -eq 0) { $verdict = 'passed' }
    Add-Result "echo over $Kind" $verdict (@($one.Lines + $many.Lines) -join ' / ')
}

# A spool and two workers, one by TCP and one by a Unix domain socket if there are any.
function Invoke-PrintShop {
    $place = 'uds|' + (Join-Path ([System.IO.Path]::GetTempPath()) "tofu-spool-$PID")
    $spool = Start-Program 'spool' (Find-Built 'print_spool') @('tcp|127.0.0.1|0', $place, '--jobs', '4')
    $tcp = Wait-Line 'spool' '^listening on tcp' 20
    $uds = Wait-Line 'spool' '^(not )?listening on uds' 20
    if ($tcp -eq '' -or $uds -eq '' -or $uds.StartsWith('not ')) { $uds = $tcp }
    if ($tcp -ne '') {
        $worker = Find-Built 'rip_worker'
        $ps = Start-Program 'worker-ps' $worker @($tcp.Substring(13).Trim(), '--pdl', 'PS', '--name', 'ps')
        $pdf = Start-Program 'worker-pdf' $worker @($uds.Substring(13).Trim(), '--pdl', 'PDF', '--name', 'pdf')
        $null = Wait-Program $ps 'worker-ps' 120
        $null = Wait-Program $pdf 'worker-pdf' 120
    }
    $ended = Wait-Program $spool 'spool' 20
    Add-Section 'print shop' $ended.Lines
    $verdict = 'FAILED'
    if ($ended.Code -eq 0) { $verdict = 'passed' }
    Add-Result 'print shop' $verdict (@($ended.Lines | Select-Object -Last 1) -join '')
}

# The spool's output tells whether the system has Unix domain sockets.
function Invoke-Examples {
    foreach ($name in @('simulated_world', 'first_steps')) {
        $ended = Invoke-Program $name (Find-Built $name) @() 60
        $verdict = 'FAILED'
        if ($ended.Code -eq 0) { $verdict = 'passed' }
        Add-Result $name $verdict ($ended.Lines -join ' / ')
    }
    Invoke-Echo 'tcp' 'tcp|127.0.0.1|0'
    Invoke-PrintShop
    $refusal = Wait-Line 'spool' '^not listening on uds' 1
    if ($refusal -ne '') { Add-Result 'echo over uds' 'skipped' 'this Windows has no Unix domain sockets' }
    else { Invoke-Echo 'uds' ('uds|' + (Join-Path ([System.IO.Path]::GetTempPath()) "tofu-echo-$PID")) }
}

# ---- all of it ----

try {
    Add-SystemFacts
    Add-TimerResolution
    Add-WinsockCatalog
    $tools = Get-Tools
    Add-Section 'tools' @(
        @($tools.Name, $tools.CMake) + @((Invoke-Program 'cmake-version' $tools.CMake @('--version') 60).Lines))
    Initialize-Build $tools
    if (Build-Target $tools 'tofu_tests') { Invoke-Tests $tools }
    if (Build-Target $tools 'tofu_examples') { Invoke-Examples }
} catch {
    Add-Result 'this script' 'FAILED' $_.Exception.Message
    Add-Section 'what went wrong' @($_.Exception.Message, $_.ScriptStackTrace)
}

$table = ($results | Format-Table -Property @('Verdict', 'What', 'Detail') -AutoSize | Out-String -Width 250).TrimEnd()
$failures = @($results | Where-Object { $_.Verdict -eq 'FAILED' }).Count
$summary = "$failures failed, $(@($results | Where-Object { $_.Verdict -eq 'skipped' }).Count) skipped, " +
    "$(@($results | Where-Object { $_.Verdict -eq 'passed' }).Count) passed"
$head = @('tofu on Windows, ' + (Get-Date).ToString('yyyy-MM-dd HH:mm'), $summary) + ($table -split "`r?`n")
Set-Content -LiteralPath $reportFile -Value ($head + $report.ToArray()) -Encoding UTF8
Write-Host $table
Write-Host $summary
Write-Host "Please send back $reportFile"
if ($failures -gt 0) { exit 1 }
exit 0
